"""What the page writes: by whom it lets itself be told to, and that nothing of a run is ever changed or lost."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
import pytest

from dashboard_site import Reply, Site, make_run, make_study, served

TOLD = ("notes", "trash", "restore")


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """A folder with two runs and a study with its best run in it."""
    make_run(tmp_path / "shown" / "one")
    make_run(tmp_path / "shown" / "two")
    make_run(make_study(tmp_path / "shown" / "study") / "best-1")
    (tmp_path / "outside").mkdir()
    return tmp_path / "shown"


@pytest.fixture
def site(shown: Path) -> Iterator[Site]:
    with served(shown) as site:
        site.enter()
        yield site


def word_of(site: Site) -> str:
    """What only the page itself knows."""
    page = site.get("/").body.decode()
    return str(json.loads(page.partition('class="word-data">')[2].partition("<")[0])["word"])


def send(site: Site, path: str, content: Any, headers: Mapping[str, str | None] | None = None, **more: Any) -> Reply:
    """What the page sends, with some headers put in place of its own; None leaves one out."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    told: dict[str, str | None] = {
        "Origin": f"http://{site.host}",
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/json",
        "X-Danlu-Word": word_of(site) if "cookie" not in more else "x",
        "Content-Length": str(len(body)),
    }
    pairs = [(name, value) for name, value in (told | dict(headers or {})).items() if value is not None]
    return site.send(f"/api/{path}", method="POST", headers=pairs, body=body, **more)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_notes_are_written_beside_a_run_and_shown(site: Site, shown: Path) -> None:
    before = snapshot(shown)
    id = site.id_of("one")
    notes = {"title": "the good one", "tags": ["paper"], "star": True, "note": "# why", "archived": True}
    assert send(site, "notes", {"changes": {id: notes}}).json == {}
    after = snapshot(shown)
    assert json.loads(after.pop("one/notes.json")) == notes
    assert after == before, "and nothing else is changed"
    (row,) = [row for row in site.get("/api/list?archived=1").json["rows"] if row["id"] == id]
    assert (row["title"], row["tags"], row["star"], row["note"]) == ("the good one", ["paper"], True, "# why")
    assert id not in [row["id"] for row in site.rows()]
    assert site.get(f"/api/run/{id}").json["notes"]["note"] == "# why"


ATTACKS: list[tuple[str, dict[str, str | None]]] = [
    ("no origin", {"Origin": None}),
    ("another origin", {"Origin": "http://evil.example"}),
    ("an opaque origin", {"Origin": "null"}),
    ("another port", {"Origin": "http://127.0.0.1:1"}),
    ("another scheme", {"Origin": "https://{host}"}),
    ("from another site", {"Sec-Fetch-Site": "cross-site"}),
    ("from a site beside", {"Sec-Fetch-Site": "same-site"}),
    ("without the word", {"X-Danlu-Word": None}),
    ("a wrong word", {"X-Danlu-Word": "x"}),
    ("the word of the address", {"X-Danlu-Word": "{token}"}),
]


@pytest.mark.every(4)
@pytest.mark.parametrize(("attack", "headers"), ATTACKS, ids=[name for name, _ in ATTACKS])
@pytest.mark.parametrize("path", TOLD)
def test_no_other_page_can_write(
    site: Site, shown: Path, path: str, attack: str, headers: dict[str, str | None]
) -> None:
    before, id = snapshot(shown), site.id_of("one")
    content = {"changes": {id: {"star": True}}, "ids": [id]}
    told = {name: value and value.format(host=site.host, token=site.token) for name, value in headers.items()}
    reply = send(site, path, content, told)
    assert (reply.status, reply.body) == (403, b""), attack
    assert snapshot(shown) == before


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_no_form_can_write_even_one_that_holds_the_word(site: Site, shown: Path, kind: str) -> None:
    before, id, word = snapshot(shown), site.id_of("one"), word_of(site)
    body = f"word={word}&X-Danlu-Word={word}&ids={id}".encode()
    assert send(site, "trash", body, {"Content-Type": kind, "X-Danlu-Word": None}).status == 403
    assert send(site, "trash", body, {"Content-Type": kind}).status == 415
    assert send(site, f"trash?word={word}", {"ids": [id]}, {"X-Danlu-Word": None}).status == 403
    assert snapshot(shown) == before


@pytest.mark.parametrize("host", ["evil.example:{port}", "127.0.0.1.evil.example:{port}", "evil.example"])
def test_a_name_that_was_bound_anew_cannot_write(site: Site, shown: Path, host: str) -> None:
    """DNS rebinding: the page of another name thinks that it is of the same origin."""
    before, id = snapshot(shown), site.id_of("one")
    named = host.format(port=site.port)
    reply = send(site, "trash", {"ids": [id]}, {"Origin": f"http://{named}"}, hosts=[named])
    assert (reply.status, reply.body) == (421, b"")
    assert snapshot(shown) == before


def test_without_the_cookie_nothing_is_written(site: Site, shown: Path) -> None:
    before, id = snapshot(shown), site.id_of("one")
    for cookie in ("other=1", f"danlu-{site.port}=x"):
        assert send(site, "trash", {"ids": [id]}, cookie=cookie).status == 403
    assert snapshot(shown) == before


def test_the_word_is_told_to_nobody_without_the_cookie(site: Site) -> None:
    word = word_of(site)
    assert len(word) > 40
    assert word not in (site.token, site.cookie)
    assert word.encode() not in site.get("/", cookie="other=1").raw
    assert word.encode() not in site.get("/api/list").raw


@pytest.mark.parametrize("options", [{"read_only": True}, {"host": "0.0.0.0"}], ids=["read-only", "elsewhere"])
def test_read_only_there_is_no_way_to_write(shown: Path, options: dict[str, Any]) -> None:
    with served(shown, **options) as site:
        site.enter()
        assert b"word-data" not in site.get("/").body
        assert site.get("/api/list").json["writable"] is False
        before, id = snapshot(shown), site.id_of("one")
        for path in TOLD:
            reply = send(site, path, {"ids": [id], "changes": {id: {"star": True}}}, {"X-Danlu-Word": "x"}, cookie=None)
            assert (reply.status, reply.body) == (405, b"")
        assert snapshot(shown) == before


BODIES: list[Any] = [
    b"", b"{", b"[]", b"null", b'"x"', {}, {"ids": []}, {"ids": "x"}, {"ids": [1]}, {"changes": []}, {"changes": {}},
    {"changes": {"x": 1}}, {"ids": ["x"] * 1001}, b"[" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("path", TOLD)
def test_what_the_page_would_never_send_is_refused(site: Site, shown: Path, path: str) -> None:
    before = snapshot(shown)
    for body in BODIES:
        reply = send(site, path, body)
        assert reply.status == 400 or "error" in reply.json, body
    assert send(site, path, b"", {"Content-Length": "300000"}).status == 413
    assert snapshot(shown) == before


@pytest.mark.every(2)
@pytest.mark.parametrize(
    "id", ["../outside", "..%2foutside", "/etc", "0123456789abcdef", "", "one", "one/../two", "\x00"]
)
def test_no_path_is_an_id(site: Site, shown: Path, id: str) -> None:
    before = snapshot(shown.parent)
    for path in TOLD:
        reply = send(site, path, {"ids": [id], "changes": {id: {"star": True}}})
        assert "error" in reply.json
    assert snapshot(shown.parent) == before


@pytest.mark.every(3)
@pytest.mark.parametrize("title", ["../../outside/x", "/etc/passwd", "..", "a/b", "C:\\x", "<script>pwned=1</script>"])
def test_a_path_in_a_title_is_a_title(site: Site, shown: Path, title: str) -> None:
    id = site.id_of("one")
    assert send(site, "notes", {"changes": {id: {"title": title}}}).json == {}
    assert (shown / "one" / "journal.jsonl").is_file()
    assert sorted(path.name for path in shown.iterdir()) == ["one", "study", "two"]
    assert [row["title"] for row in site.rows() if row["id"] == id] == [title]


def test_what_is_deleted_can_be_taken_back_as_it_was(site: Site, shown: Path) -> None:
    before = snapshot(shown)
    ids = [site.id_of("one"), site.id_of("study")]
    told = send(site, "trash", {"ids": ids}).json["trash"]
    assert [one["name"] for one in told] == ["one", "study"]
    assert [row["name"] for row in site.rows()] == ["two"]
    assert {one["name"] for one in site.get("/api/trash").json["trash"]} == {"one", "study"}
    assert len(snapshot(shown / ".danlu-trash")) == len(before) - len(snapshot(shown / "two"))
    assert send(site, "restore", {"ids": [one["id"] for one in told]}).json == {"restored": ["one", "study"]}
    assert snapshot(shown) == before
    assert site.get("/api/trash").json == {"trash": []}
    assert {row["id"] for row in site.rows()} >= set(ids)


def test_all_or_none_goes_to_the_trash(site: Site, shown: Path) -> None:
    before = snapshot(shown)
    site.get("/api/list")
    (best,) = [
        row["id"] for row in site.get(f"/api/list?opened={site.id_of('study')}").json["rows"] if "best" in row["name"]
    ]
    reply = send(site, "trash", {"ids": [site.id_of("one"), best]})
    assert "belongs to a study" in reply.json["error"]
    assert snapshot(shown) == before


def test_a_training_that_goes_on_is_not_deleted(site: Site, shown: Path) -> None:
    descriptor = os.open(shown / "one" / "journal.jsonl", os.O_RDWR)
    filelock.lock_descriptor(descriptor, blocking=False)
    try:
        assert "a training is writing" in send(site, "trash", {"ids": [site.id_of("one")]}).json["error"]
    finally:
        os.close(descriptor)
    assert (shown / "one").is_dir()


def test_the_folder_shown_is_not_deleted(tmp_path: Path) -> None:
    make_run(tmp_path / "run")
    with served(tmp_path / "run") as site:
        site.enter()
        assert "is the folder that this page shows" in send(site, "trash", {"ids": [site.id_of("run")]}).json["error"]
    assert (tmp_path / "run").is_dir()


def test_nothing_is_put_over_what_lies_there_by_now(site: Site, shown: Path) -> None:
    (told,) = send(site, "trash", {"ids": [site.id_of("one")]}).json["trash"]
    (shown / "one").mkdir()
    assert "something else lies there" in send(site, "restore", {"ids": [told["id"]]}).json["error"]
    (shown / "one").rmdir()
    assert send(site, "restore", {"ids": [told["id"]]}).json == {"restored": ["one"]}


def test_a_trash_that_is_a_link_is_not_used(site: Site, shown: Path) -> None:
    (shown / ".danlu-trash").symlink_to(shown.parent / "outside")
    assert "is a link" in send(site, "trash", {"ids": [site.id_of("one")]}).json["error"]
    assert site.get("/api/trash").json == {"trash": []}
    assert list((shown.parent / "outside").iterdir()) == []
