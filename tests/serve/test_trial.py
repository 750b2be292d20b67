"""A run tried out over the wire: each kind is answered and explained; whatever else is sent is refused, and told."""

import base64
import io
import json
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

import danlu
from danlu.base.errors import UserError
from danlu.serve.try_out import open_trial
from dashboard_site import Reply, Site, serving
from trial_runs import KINDS, trained

JSON = "application/json"
BYTES = "application/octet-stream"
STROKES = [[[0.3, 0.2], [0.6, 0.2], [0.4, 0.8]]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, danlu.Run]:
    place = tmp_path_factory.mktemp("trials")
    return {kind: trained(kind, place) for kind in KINDS}


@pytest.fixture(scope="module")
def sites(runs: dict[str, danlu.Run]) -> Iterator[dict[str, Site]]:
    """A page for each of the runs, with a reader who is let in."""
    opened: dict[str, Site] = {}
    contexts: list[Any] = []
    for kind, run in runs.items():
        contexts.append(serving(open_trial(run, port=0)))
        opened[kind] = contexts[-1].__enter__()
        opened[kind].enter()
    yield opened
    for context in contexts:
        context.__exit__(None, None, None)


def post(site: Site, path: str, body: bytes, kind: str = JSON, **more: Any) -> Reply:
    headers = [("Origin", f"http://{site.host}"), ("Content-Type", kind), ("Content-Length", str(len(body)))]
    return site.send(path, method="POST", headers=more.pop("headers", headers), body=body, **more)


def ask(site: Site, path: str, value: Any) -> Any:
    reply = post(site, f"/api/{path}?lang=en", json.dumps(value).encode())
    assert reply.status == 200, reply.status
    return reply.json


def a_png(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def seen(answer: Any) -> Any:
    content = base64.b64decode(answer["seen"].partition(",")[2])
    return numpy.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.slow
def test_a_drawing_is_answered_and_explained(sites: dict[str, Site], runs: dict[str, danlu.Run]) -> None:
    answer = ask(sites["digits"], "drawing", {"strokes": STROKES})
    picture = seen(answer)
    assert picture.shape == (8, 8)
    expected = runs["digits"].predict_proba((picture / 255 * 16).round().astype("uint8")[None])[0]
    assert answer["answer"] == str(expected.argmax())
    assert answer["classes"][0][1] == pytest.approx(expected.max(), abs=0.02)
    assert sum(share for _, share in answer["classes"]) == pytest.approx(1)
    assert numpy.shape(answer["map"]) == (8, 8)
    assert numpy.any(answer["map"])


def test_a_picture_of_any_size_is_answered(sites: dict[str, Site]) -> None:
    dark = post(sites["photos"], "/api/picture", a_png(numpy.full((90, 120, 3), 50, numpy.uint8)), BYTES).json
    light = post(sites["photos"], "/api/picture", a_png(numpy.full((24, 32), 220, numpy.uint8)), BYTES).json
    assert (dark["answer"], light["answer"]) == ("dark", "light")
    assert seen(dark).shape == (12, 16, 3)


def test_a_row_is_answered_and_each_column_weighed(sites: dict[str, Site], runs: dict[str, danlu.Run]) -> None:
    row = {"sex": "female", "age": "30", "fare": "20.5"}
    answer = ask(sites["table"], "row", {"row": row})
    assert answer["answer"] == runs["table"].predict([row])[0] == "yes"
    effects = dict(answer["columns"])
    assert effects.keys() == row.keys()
    without = runs["table"].predict_proba([{**row, "sex": "male"}])[0]  # the most frequent
    yes = runs["table"].preprocessing.classes.index("yes")
    assert effects["sex"] == pytest.approx(answer["classes"][0][1] - without[yes], abs=1e-6)
    assert effects["sex"] > 0.2 > abs(effects["age"])
    assert ask(sites["table"], "row", {"row": {**row, "age": None}})["answer"] == "yes"


def test_what_is_odd_about_a_row_is_noted(sites: dict[str, Site]) -> None:
    row = {"sex": "unheard of", "age": "30", "fare": "1e9"}
    assert len(ask(sites["table"], "row", {"row": row})["notes"]) == 2
    assert "age" in ask(sites["table"], "row", {"row": {**row, "age": "old"}})["error"]


def test_a_regression_has_its_band(sites: dict[str, Site], runs: dict[str, danlu.Run]) -> None:
    row = {"sex": "male", "age": "30", "fare": "40"}
    answer = ask(sites["prices"], "row", {"row": row})
    assert answer["values"] == [pytest.approx(float(runs["prices"].predict([row])[0]))]
    band = runs["prices"].error_band
    if band is not None:
        assert (answer["low"], answer["high"]) == (answer["values"][0] + band.low, answer["values"][0] + band.high)
    assert max(answer["columns"], key=lambda pair: abs(pair[1]))[0] == "fare"


def test_features_without_names_are_numbered(sites: dict[str, Site]) -> None:
    answer = ask(sites["arrays"], "row", {"row": {"1": "2", "2": "0", "3": "0"}})
    assert answer["values"][0] == pytest.approx(110, abs=3)
    assert answer["columns"][0][1] == pytest.approx(10, abs=2)
    assert "error" in ask(sites["arrays"], "row", {"row": {"1": "two", "2": "0", "3": "0"}})
    assert "error" in ask(sites["arrays"], "row", {"row": {"1": None, "2": "0", "3": "0"}})


def test_a_text_is_answered_token_by_token(sites: dict[str, Site], runs: dict[str, danlu.Run]) -> None:
    answer = ask(sites["texts"], "text", {"text": "bad day"})
    assert answer["answer"] == runs["texts"].predict(["bad day"])[0]
    assert "".join(token for token, _ in answer["tokens"]) == "bad day"
    assert ask(sites["texts"], "text", {"text": "鬼"})["notes"]
    assert "error" in ask(sites["texts"], "text", {"text": ""})


def test_a_text_goes_on(sites: dict[str, Site], runs: dict[str, danlu.Run]) -> None:
    asked = {"text": "the time", "tokens": 30, "temperature": 0.5, "seed": 3}
    answer = ask(sites["book"], "beginning", asked)
    assert "the time" + answer["goes_on"] == runs["book"].generate("the time", tokens=30, temperature=0.5, seed=3)
    assert all(token not in ("<pad>", "<unk>") for token, _ in answer["classes"])
    assert "error" in ask(sites["book"], "beginning", {**asked, "text": ""})


def test_an_autoencoder_shows_what_it_makes_of_a_picture(sites: dict[str, Site]) -> None:
    answer = ask(sites["itself"], "drawing", {"strokes": STROKES})
    assert answer["error"] > 0
    assert answer["again"].startswith("data:image/png")


def test_each_pixel_of_a_picture_has_its_class(sites: dict[str, Site], runs: dict[str, danlu.Run]) -> None:
    picture = numpy.random.default_rng(9).integers(0, 255, (8, 8), dtype=numpy.uint8)
    answer = post(sites["masks"], "/api/picture", a_png(picture), BYTES).json
    mask = runs["masks"].predict(picture[None])[0]
    content = base64.b64decode(answer["mask"].partition(",")[2])
    colours = numpy.asarray(Image.open(io.BytesIO(content)))
    assert colours.shape == (8, 8, 3)
    shares = {name: (share, colour) for name, share, colour in answer["shares"]}
    assert shares.keys() == {str(value) for value in numpy.unique(mask)} <= {"0", "7"}
    for name, (share, colour) in shares.items():
        assert share == (mask == int(name)).mean()
        red, green, blue = map(int, colour.removeprefix("rgb(").removesuffix(")").split())
        assert ((colours == (red, green, blue)).all(2) == (mask == int(name))).all()
    assert seen(answer).shape == (8, 8)


def test_each_token_of_a_text_has_its_tag(sites: dict[str, Site], runs: dict[str, danlu.Run]) -> None:
    answer = ask(sites["tags"], "text", {"text": "the dog unheard ran"})
    assert [token for token, _, _ in answer["tags"]] == ["the", "dog", "unheard", "ran"]
    assert [tag for _, tag, _ in answer["tags"]] == runs["tags"].predict(["the dog unheard ran"])[0]
    likely = runs["tags"].predict_proba(["the dog unheard ran"])[0].max(1)
    assert [share for _, _, share in answer["tags"]] == pytest.approx([float(one) for one in likely[:4]])
    assert "unheard" in answer["notes"][0]


@pytest.mark.parametrize("beam", [1, 4])
def test_what_is_written_for_a_text_is_shown(sites: dict[str, Site], runs: dict[str, danlu.Run], beam: int) -> None:
    answer = ask(sites["pairs"], "source", {"text": "tea sün", "beam": beam})
    assert answer["written"] == runs["pairs"].predict("tea sün", beam=beam)[0]
    assert "ü" in answer["notes"][0]
    assert "error" in ask(sites["pairs"], "source", {"text": "", "beam": beam})


ROWS = "day,town,temp\n" + "".join(
    f"2024-05-0{day},{town},{start + day}\n" for day in range(1, 7) for town, start in (("Ulm", 9), ("Oslo", 20))
)


def test_what_follows_pasted_rows_is_told(sites: dict[str, Site], runs: dict[str, danlu.Run]) -> None:
    answer = ask(sites["series"], "rows", {"rows": ROWS})
    lines = [line.split(",") for line in ROWS.splitlines()[1:]]
    for one, town in zip(answer["forecasts"], ("Ulm", "Oslo"), strict=True):
        own = [row for row in lines if row[1] == town][-4:]
        table = {"day": [row[0] for row in own], "town": [town] * 4, "temp": [float(row[2]) for row in own]}
        assert (one["series"], one["time"]) == (town, "2024-05-06")
        assert one["values"] == pytest.approx(runs["series"].predict(table).tolist(), rel=1e-5)
        assert one["low"] < one["high"]
    assert "Oslo" in answer["notes"][0]
    short = ask(sites["series"], "rows", {"rows": "\n".join(ROWS.splitlines()[:4])})["error"]
    assert short.startswith("the rows")
    assert "temp" in ask(sites["series"], "rows", {"rows": ROWS.replace("temp", "warmth")})["error"]
    assert "error" in ask(sites["series"], "rows", {"rows": "nothing"})


@pytest.mark.parametrize("words", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_page_asks_for_what_the_run_takes(sites: dict[str, Site], kind: str, words: str) -> None:
    page = sites[kind].get(f"/?lang={words}").body.decode()
    assert f'lang="{"zh-CN" if words == "zh" else "en"}"' in page
    form = json.loads(page.partition('class="form-data">')[2].partition("</script>")[0])
    assert form["name"] == kind
    assert [field["name"] for field in form["fields"]] == {
        "table": ["sex", "age", "fare"],
        "prices": ["sex", "age", "fare"],
        "arrays": ["1", "2", "3"],
    }.get(kind, [])
    for name in ("trial.js", "trial.css", "answer.js", "drawing.js", "fields.js"):
        assert sites[kind].get(f"/static/{name}").status == 200


ODD_JSON: list[bytes] = [
    b"", b"null", b"[]", b"{", b"\xff\xfe", b"{}", b'{"row": {}, "more": 1}', b'{"row": []}', b'{"row": {"sex": "x"}}',
    b'{"row": {"sex": 1, "age": "1", "fare": "1"}}', b'{"row": {"sex": {"a": 1}, "age": "1", "fare": "1"}}',
    b'{"row": {"sex": "x", "age": "1", "fare": "1", "extra": "1"}}', b"[" * 100_000, b'{"row":' * 20_000,
    json.dumps({"row": {"sex": "x" * 501, "age": "1", "fare": "1"}}).encode(), b'{"row": ' + b"9" * 10_000 + b"}",
]  # fmt: skip


@pytest.mark.parametrize("body", ODD_JSON, ids=lambda body: repr(body[:40]))
def test_other_json_than_the_page_sends_is_refused(sites: dict[str, Site], body: bytes) -> None:
    assert post(sites["table"], "/api/row", body).status == 400
    assert ask(sites["table"], "row", {"row": {"sex": "male", "age": "3", "fare": "1"}})["answer"]


@pytest.mark.parametrize(
    ("site", "path", "value"),
    [
        ("digits", "drawing", {"strokes": [[[0, 0]] * 10_001]}),
        ("digits", "drawing", {"strokes": [[[0, 1e400]]]}),
        ("digits", "drawing", {"strokes": "line"}),
        ("texts", "text", {"text": "x" * 2_001}),
        ("series", "rows", {"rows": "x" * 100_001}),
        ("series", "rows", {"rows": ["x"]}),
        ("texts", "text", {"text": ["x"]}),
        ("pairs", "source", {"text": "x", "beam": 0}),
        ("pairs", "source", {"text": "x", "beam": 21}),
        ("pairs", "source", {"text": "x"}),
        ("book", "beginning", {"text": "a", "tokens": 10**9, "temperature": 1, "seed": 0}),
        ("book", "beginning", {"text": "a", "tokens": 5, "temperature": float("nan"), "seed": 0}),
        ("book", "beginning", {"text": "a", "tokens": True, "temperature": 1, "seed": 0}),
        ("book", "beginning", {"text": "a", "tokens": 5, "temperature": 1, "seed": -1}),
    ],
)
def test_numbers_out_of_bounds_are_refused(sites: dict[str, Site], site: str, path: str, value: Any) -> None:
    assert post(sites[site], f"/api/{path}", json.dumps(value).encode()).status == 400


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says to be this large."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 4096)) + chunk(b"IEND", b"")
    )


ODD_PICTURES = {
    "empty": b"",
    "text": b"no picture at all",
    "bomb": bomb(60_000, 60_000),
    "large bomb": bomb(2**31 - 1, 2**31 - 1),
    "cut off": a_png(numpy.random.default_rng(0).integers(0, 255, (40, 40), numpy.uint8))[:300],
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='pwned=1'/>",
}


@pytest.mark.parametrize("name", ODD_PICTURES)
@pytest.mark.parametrize("site", ["digits", "photos"])
def test_what_is_no_picture_is_told_in_a_sentence(sites: dict[str, Site], site: str, name: str) -> None:
    told = post(sites[site], "/api/picture?lang=en", ODD_PICTURES[name], BYTES).json
    assert set(told) == {"error"}
    assert "/tmp" not in told["error"]
    assert "the image" in told["error"]


def sent(site: Site, **changed: str | None) -> list[tuple[str, str]]:
    """The headers of the page's own question, some changed or left out (None)."""
    headers = {"Origin": f"http://{site.host}", "Content-Type": JSON, "Content-Length": "2"} | {
        name.replace("_", "-"): value for name, value in changed.items()
    }
    return [(name, value) for name, value in headers.items() if value is not None]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": None}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content_Type": None}, 415),
        ({"Content_Length": str(2**18 + 1)}, 413),
        ({"Content_Length": "9" * 30}, 411),
        ({"Content_Length": None}, 411),
    ],
)
def test_who_may_not_ask_is_refused(sites: dict[str, Site], changed: dict[str, str | None], status: int) -> None:
    site = sites["table"]
    body = b"{}" if changed.get("Content_Length", "") == "" else b""
    reply = site.send("/api/row", method="POST", headers=sent(site, **changed), body=body)
    assert reply.status in (status, 400), reply.status
    assert b"answer" not in reply.body


def test_nothing_is_answered_without_the_cookie(sites: dict[str, Site]) -> None:
    site = sites["table"]
    body = json.dumps({"row": {"sex": "male", "age": "3", "fare": "1"}}).encode()
    assert post(site, "/api/row", body, cookie="other=1").status == 403
    assert site.get("/", cookie="other=1").status == 403
    assert b"danlu try" in site.get("/", cookie="other=1").body
    assert site.get("/start?token=wrong", cookie="other=1").status == 403


@pytest.mark.parametrize("target", ["/api/row", "/api/drawing", "/api/list", "/api/beginning", "/static/run.js", "/x"])
def test_other_ways_in_are_closed(sites: dict[str, Site], target: str) -> None:
    assert sites["photos"].get(target).status in (404, 405)
    assert post(sites["photos"], target, b"{}").status in (404, 405)


def test_many_questions_at_once_are_answered_or_put_off(sites: dict[str, Site]) -> None:
    site, statuses = sites["digits"], list[int]()
    body = json.dumps({"strokes": STROKES}).encode()
    askers = [
        threading.Thread(target=lambda: statuses.append(post(site, "/api/drawing", body).status)) for _ in range(24)
    ]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= 8


def test_a_net_that_fails_is_told(runs: dict[str, danlu.Run], monkeypatch: pytest.MonkeyPatch) -> None:
    run = danlu.Run(runs["table"].folder)

    def broken(*_: Any) -> None:
        raise ValueError("not this one")

    monkeypatch.setattr(run._final_answerer.net, "forward", broken)
    with serving(open_trial(run, port=0)) as site:
        site.enter()
        assert "not this one" in ask(site, "row", {"row": {"sex": "male", "age": "3", "fare": "1"}})["error"]


@pytest.mark.every(2)
def test_what_no_page_can_ask_for_is_refused(tmp_path: Path, language: str) -> None:
    x = numpy.random.default_rng(0).normal(size=(60, 300))
    run = danlu.fit("linear-regression", (x, x[:, 0]), epochs=1, folder=tmp_path / "wide", progress=False)
    with pytest.raises(UserError, match="danlu predict") as refused:
        open_trial(run, port=0)
    assert ("nothing" in str(refused.value)) == (language == "en")
