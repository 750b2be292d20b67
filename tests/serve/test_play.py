"""The playground over the wire: moves are carried out and told of; whatever else is sent is refused."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from danlu.lab.play.playground import Playground
from danlu.serve.play import open_playground
from dashboard_site import Reply, Site, serving
from playing import PATIENCE

JSON = "application/json"


@pytest.fixture(scope="module")
def playground() -> Iterator[Playground]:
    playground = Playground("moons")
    yield playground
    playground.close()


@pytest.fixture(scope="module")
def site(playground: Playground) -> Iterator[Site]:
    with serving(open_playground(playground, port=0)) as site:
        site.enter()
        yield site


def post(site: Site, path: str, body: bytes, kind: str = JSON, **more: Any) -> Reply:
    headers = [("Origin", f"http://{site.host}"), ("Content-Type", kind), ("Content-Length", str(len(body)))]
    return site.send(path, method="POST", headers=more.pop("headers", headers), body=body, **more)


def ask(site: Site, path: str, value: Any, words: str = "en") -> Any:
    reply = post(site, f"/api/{path}?lang={words}", json.dumps(value).encode())
    assert reply.status == 200, reply.status
    return reply.json


def form_of(site: Site, words: str = "en") -> dict[str, Any]:
    page = site.get(f"/?lang={words}").body.decode()
    return json.loads(page.partition('class="form-data">')[2].partition("</script>")[0])


def ended(site: Site, words: str = "en") -> Any:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        told = ask(site, "now", {"have": 0, "plane": 0, "shown": 0}, words)
        if told.get("ready") or "error" in told:
            return told
        time.sleep(0.05)
    raise AssertionError("the move has not ended")


def test_a_move_is_trained_told_of_and_compared_in_the_readers_language(site: Site) -> None:
    chosen = form_of(site)["chosen"]
    ask(site, "move", {"chosen": {**chosen, "depth": 0}})
    first = ended(site)
    assert len(first["picture"]["votes"]) == form_of(site)["side"] ** 2
    assert first["picture"]["nets"] == form_of(site)["seeds"] == 32
    assert "help" not in first
    ask(site, "move", {"chosen": {**chosen, "depth": 2, "width": 8}})
    told = ended(site)
    assert (told["help"]["verdict"], told["help"]["answer"]) == ("better", "Yes, it helps.")
    assert ended(site, "zh")["help"]["answer"] == "有用：结果更好。"
    assert told["recipe"]["command"].startswith("danlu fit ")
    known = {"have": told["version"], "plane": told["plane"], "shown": 0}
    assert not {"picture", "points"} & ask(site, "now", known).keys()
    assert form_of(site)["chosen"]["depth"] == 2  # who opens the page anew finds what is being trained


@pytest.mark.parametrize("words", ["en", "zh"])
def test_the_page_offers_what_can_be_chosen(site: Site, words: str) -> None:
    page = site.get(f"/?lang={words}")
    assert f'lang="{"zh-CN" if words == "zh" else "en"}"' in page.body.decode()
    offered = form_of(site, words)["offered"]
    assert list(offered)[:4] == ["shape", "noise", "depth", "width"]
    assert list(offered)[4:] == ["activation", "lr", "weight_decay", "dropout", "batch_size"]
    assert (offered["depth"], offered["width"][-1]) == ([0, 1, 2, 3, 4], 32)
    for name in ("play.js", "play.css", "asking.js", "parts.js"):
        assert site.get(f"/static/{name}").status == 200
    assert site.get("/static/trial.js").status == 404


ODD: list[tuple[str, bytes]] = [
    (path, body)
    for path in ("move", "now")
    for body in (b"", b"null", b"[]", b"{", b"\xff\xfe", b"{}", b'{"chosen": []}', b'{"chosen": {}}', b"[" * 3000,
                 b'{"chosen": {"depth": 1}}', b'{"have": 0, "plane": 0}', b'{"have": -1, "plane": 0, "shown": 0}',
                 b'{"have": NaN, "plane": 0, "shown": 0}', b'{"have": 0, "plane": 1e999, "shown": 0}',
                 b'{"have": 0, "plane": 0, "shown": true}', b'{"have": 0, "plane": 0, "shown": "0"}',
                 b'{"have": 0, "plane": 0, "shown": 0, "more": 0}', b'{"have": ' + b"9" * 3000 + b"}")
]  # fmt: skip


@pytest.mark.every(3)
@pytest.mark.parametrize(("path", "body"), ODD, ids=lambda one: repr(one[:40]))
def test_other_json_than_the_page_sends_is_refused(site: Site, path: str, body: bytes) -> None:
    assert post(site, f"/api/{path}", body).status == 400
    assert "version" in ask(site, "now", {"have": 0, "plane": 0, "shown": 0})


@pytest.mark.parametrize(
    "changed",
    [{"depth": 99}, {"width": 10**9}, {"lr": 1e300}, {"shape": "/etc/passwd"}, {"batch_size": 0}, {"depth": [1]}],
)
def test_only_what_is_offered_is_trained(site: Site, playground: Playground, changed: dict[str, Any]) -> None:
    before = playground.now(0, 0, 0)["move"]
    body = json.dumps({"chosen": {**form_of(site)["chosen"], **changed}}).encode()
    assert post(site, "/api/move", body).status == 400
    assert playground.now(0, 0, 0)["move"] == before


def sent(site: Site, **changed: str | None) -> list[tuple[str, str]]:
    headers = {"Origin": f"http://{site.host}", "Content-Type": JSON, "Content-Length": "2"} | {
        name.replace("_", "-"): value for name, value in changed.items()
    }
    return [(name, value) for name, value in headers.items() if value is not None]


@pytest.mark.parametrize("path", ["/api/move", "/api/now"])
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": None}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Length": str(2**12 + 1)}, 413),
        ({"Content_Length": None}, 411),
    ],
)
def test_who_may_not_ask_is_refused(site: Site, path: str, changed: dict[str, str | None], status: int) -> None:
    body = b"{}" if changed.get("Content_Length", "") == "" else b""
    reply = site.send(path, method="POST", headers=sent(site, **changed), body=body)
    assert reply.status in (status, 400), reply.status
    assert b"version" not in reply.body


def test_nothing_is_answered_without_the_cookie(site: Site) -> None:
    body = json.dumps({"have": 0, "plane": 0, "shown": 0}).encode()
    assert post(site, "/api/now", body, cookie="other=1").status == 403
    assert b"danlu play" in site.get("/", cookie="other=1").body
    assert site.get("/start?token=wrong", cookie="other=1").status == 403


@pytest.mark.parametrize("target", ["/api/move", "/api/now", "/api/row", "/api/list", "/static/run.js", "/x"])
def test_other_ways_in_are_closed(site: Site, target: str) -> None:
    assert site.get(target).status in (404, 405)
    if target not in ("/api/move", "/api/now"):
        assert post(site, target, b"{}").status in (404, 405)


@pytest.mark.slow
def test_many_moves_at_once_are_carried_out_one_after_the_other(site: Site, playground: Playground) -> None:
    chosen, statuses = form_of(site)["chosen"], list[int]()

    def move(width: int) -> None:
        statuses.append(post(site, "/api/move", json.dumps({"chosen": {**chosen, "width": width}}).encode()).status)

    askers = [threading.Thread(target=move, args=(width,)) for width in range(1, 25)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert set(statuses) <= {200, 503}
    assert sum(thread.name == "danlu play" for thread in threading.enumerate()) == 1
    assert ended(site)["ready"]


def test_a_page_that_hangs_up_leaves_nothing_behind(site: Site) -> None:
    host, _, port = site.host.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(b"POST /api/move HTTP/1.1\r\nHost: ")
    assert "version" in ask(site, "now", {"have": 0, "plane": 0, "shown": 0})


def test_an_error_of_a_move_is_told_in_the_readers_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    playground = Playground("moons")

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("not this one")

    monkeypatch.setattr("danlu.lab.play.playground.train_seeds", broken)
    with serving(open_playground(playground, port=0)) as site:
        site.enter()
        ask(site, "move", {"chosen": form_of(site)["chosen"]})
        assert "The training failed (RuntimeError: not this one)" in ended(site)["error"]
        assert "训练出错" in ended(site, "zh")["error"]
    playground.close()
