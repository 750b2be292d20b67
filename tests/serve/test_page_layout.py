"""How run, study, search and cure lie on the page: nothing cut, nothing over anything, all reached, all read."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import view_samples as made
from chromium import CROWDED, NAMELESS, OVERLAPS, PALE, WIDE, Reader, started
from danlu.view.report import run_report
from danlu.view.study_report import study_report
from dashboard_site import CANARY, FINDING, LAYERS, Site, course, make_cure, make_run, make_search, make_study, served
from view_samples import sample_run, sample_study

Open = Callable[..., Reader]
LONG = "a-run-with-a-very-long-name-" * 3 + "end"
PAGES = {"run": LONG, "study": "study", "crossed": "crossed-study-of-two-factors", "search": "search", "cure": "cure"}
SCREEN = 900
LAYERS_OF_A_DEEP_NET = [f"feature_extractor.denseblock{block}.denselayer12.conv1" for block in (1, 2, 3)]
CHECKS = {"overlaps": OVERLAPS, "nameless": NAMELESS, "crowded": CROWDED, "pale": PALE, "wide": WIDE}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def pictures() -> Path:
    """Where the screenshots stay until `make clean`."""
    folder = Path(__file__).parents[2] / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One of each kind: the run has three findings and a long name, the cure is its own."""
    place = tmp_path_factory.mktemp("pages")
    others = [FINDING | {"rule": rule, "since": since} for rule, since in (("plateau", 40), ("saturated", 2))]
    told = course()
    deep = (
        LAYERS
        | {"names": LAYERS_OF_A_DEEP_NET}
        | {
            quantity: [(at + 1) / 40 for at in range(len(LAYERS_OF_A_DEEP_NET))]
            for quantity in ("spread", "gradient", "update", "dead")
        }
    )
    layered = [deep | {"step": one["step"]} if one["kind"] == "layers" else one for one in told]
    run = make_run(place / LONG, [*layered[:5], *others, *layered[5:]])
    make_run(make_study(place / "study", seeds=2) / "best")
    make_crossed(place / "crossed-study-of-two-factors")
    make_search(place / "search")
    make_cure(place / "cure", run)
    with served(place) as site:
        yield site


def make_crossed(folder: Path) -> Path:
    """A study of two factors with names as long as they come."""
    study = sample_study()
    folder.mkdir(parents=True)
    factors = {key: list(levels) for key, levels in study.factors.items()}
    design = {"recipe": {}, "factors": factors, "seeds": [0, 1, 2], "folds": 2, "metric": "accuracy", "margin": 0.01}
    (folder / "study.json").write_text(json.dumps(design), encoding="utf-8")
    members = [{"kind": "member", **member.as_dict(), "samples": 2000} for member in study.members]
    told = [{"kind": "begin", "members": len(members)}, *members, {"kind": "look"}]
    (folder / "journal.jsonl").write_text("".join(json.dumps(one) + "\n" for one in told), encoding="utf-8")
    return folder


@pytest.fixture
def reader(browser: Any, pictures: Path) -> Iterator[Open]:
    opened: list[tuple[Reader, str]] = []

    def open_window(site: Site, **window: Any) -> Reader:
        reader = Reader(browser, pictures, **window)
        opened.append((reader, f"http://{site.host}/"))
        site.let_in(reader.context)
        reader.enter(f"http://{site.host}/")
        return reader

    yield open_window
    for one, own in opened:
        one.context.close()
        assert one.wrong == []
        assert one.foreign(own) == []


@pytest.mark.every(20)
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("words", ["en", "zh"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", PAGES)
def test_every_page_is_read_whole(site: Site, reader: Open, kind: str, width: int, words: str, theme: str) -> None:
    window = reader(site, viewport={"width": width, "height": SCREEN}, color_scheme=theme)
    page = window.page
    page.evaluate("words => localStorage.setItem('danlu-language', words)", words)
    page.reload()
    page.wait_for_selector("table.list tbody tr")
    window.open(PAGES[kind])
    page.wait_for_selector(".story .numbers, .story .answers li")
    window.picture(f"page-{kind}-{width}-{words}-{theme}")
    page.evaluate("() => document.querySelectorAll('main details:not(.save)').forEach(one => { one.open = true; })")
    page.wait_for_timeout(150)  # the charts inside are drawn
    wrong = {check: page.evaluate(script) for check, script in CHECKS.items()}
    # Of two classes as long as the canary's the names have no room beside each other.
    wrong["crowded"] = [one for one in wrong["crowded"] if not re.search(f"{CANARY} (cat|dog)", one)]
    assert wrong == {check: [] for check in CHECKS}
    assert window.fits()
    window.back()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("words", ["en", "zh"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_runs_side_by_side_and_reports_are_read_whole(
    site: Site, reader: Open, tmp_path: Path, width: int, words: str, theme: str
) -> None:
    """Of two runs with long names, and of the files in a folder, with all that is folded open."""
    other = made.sample_run(*made.moment_records(), name=LONG)
    reports = {"run": run_report(other), "study": study_report(sample_study())}
    window = reader(site, viewport={"width": width, "height": SCREEN}, color_scheme=theme)
    page = window.page
    page.evaluate("words => localStorage.setItem('danlu-language', words)", words)
    listed = site.get(f"/api/list?lang=en&opened={site.id_of('study')}").json["rows"]
    runs = ",".join(row["id"] for row in listed if row["name"] in (LONG, "study/best"))
    pages = {"compare": f"http://{site.host}/?lang={words}#/compare/{runs}"}
    for kind, text in reports.items():
        (tmp_path / f"{kind}.html").write_text(text, encoding="utf-8")
        pages[kind] = (tmp_path / f"{kind}.html").as_uri()
    for kind, address in pages.items():
        page.goto(address)
        if address.startswith("file:"):
            page.click(f".languages button[lang^={words}]")
            window.requests.clear()  # the file's own
        page.wait_for_selector(".chart .panels svg:visible")
        page.evaluate("() => document.querySelectorAll('main details:not(.save)').forEach(one => { one.open = true; })")
        page.wait_for_timeout(200)
        assert {check: page.evaluate(script) for check, script in CHECKS.items()} == {check: [] for check in CHECKS}, (
            kind
        )
        assert window.fits(), kind
        window.picture(f"page-{kind}-{width}-{words}-{theme}")


@pytest.mark.slow
@pytest.mark.parametrize("words", ["en", "zh"])
def test_the_time_machine_goes_on_in_a_report(tmp_path: Path, browser: Any, pictures: Path, words: str) -> None:
    surface = made.bowl().record().to_json() | {"path": [(-4.0, 1.0, 9.0), (2.0, 3.0, 1.0)], "path_steps": [0, 60]}
    file = tmp_path / "report.html"
    file.write_text(run_report(made.sample_run(*made.moment_records(), surface)), encoding="utf-8")
    window = Reader(browser, pictures)
    page = window.page
    page.goto(file.as_uri())
    page.click(f".languages button[lang^={words}]")
    half = page.locator(f".half[lang^={words}]")
    half.locator(".machine > summary").click()
    half.locator(".machine input").focus()
    page.keyboard.press("Home")
    page.wait_for_selector(f".half[lang^={words}] .machine .chart[data-kind=moment-contour] .panels svg")
    assert "1" in (half.locator(".machine output").text_content() or "")
    assert half.locator(".machine .chart[data-kind=moment-confusion]").count() == 1
    assert half.locator(".chart[data-kind=curves] .moment").count() >= 1
    assert window.wrong == []
    window.context.close()


def test_a_runs_story_stands_on_one_screen(site: Site, reader: Open) -> None:
    window = reader(site, viewport={"width": 1440, "height": SCREEN})
    window.open(LONG)
    page = window.page
    ends = {
        name: page.locator(name).first.bounding_box()
        for name in (".state", ".story .numbers", ".finding", ".curves .chart")
    }
    assert all(box["y"] + box["height"] <= SCREEN for box in ends.values()), ends
    assert ends[".curves .chart"]["x"] > ends[".finding"]["x"] + ends[".finding"]["width"], "side by side"
    assert page.evaluate("document.documentElement.scrollHeight") < 3 * SCREEN, "all else is below, side by side too"
    assert page.locator("main details:not(.finding)[open]").count() == 0, "the recipe is folded away"


def test_seeds_that_are_missing_are_a_button_that_shows_the_command(site: Site, reader: Open) -> None:
    window = reader(site)
    window.open("study")
    page = window.page
    button = page.locator(".lacking > button")
    assert button.get_attribute("aria-expanded") == "false"
    assert not page.is_visible(".lacking code")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    assert page.text_content(".lacking code").startswith("danlu resume ")
    assert "--more-seeds" in page.text_content(".lacking code")


def test_from_a_finding_to_its_cure_and_back(site: Site, reader: Open) -> None:
    window = reader(site)
    window.open(LONG)
    page = window.page
    assert page.locator("code:text-matches('^danlu cure .* --rule plateau$')").count() == 1
    page.click("a:text-is('cure')")
    page.wait_for_selector(".chart[data-kind=forest]")
    page.click(".finding summary")
    page.click(".finding a")
    page.wait_for_selector(".chart[data-kind=curves]")
    assert page.text_content("h1") == LONG
    assert page.locator(".finding[data-rule=vanishing-gradient][open]").count() == 1


def test_the_page_of_a_study_has_its_name_before_it_is_answered(site: Site, reader: Open) -> None:
    page = reader(site).page
    page.route("**/api/study/**", lambda route: None)
    page.click("table.list a:text-is('study')")
    page.wait_for_selector("h1:text-is('study')")
    page.wait_for_selector(".loading:text-is('Loading …')")
    page.unroute("**/api/study/**")


@pytest.mark.every(2)
@pytest.mark.parametrize("kind", ["run", "study"])
def test_a_report_goes_over_to_the_other_language(kind: str, tmp_path: Path, browser: Any, pictures: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(run_report(sample_run()) if kind == "run" else study_report(sample_study()), encoding="utf-8")
    window = Reader(browser, pictures)
    page = window.page
    page.goto(file.as_uri())
    page.wait_for_selector(".chart .panels svg")
    page.click(".languages button:text-is('中文')")
    page.wait_for_selector("html[lang=zh-CN]")
    page.wait_for_selector(".half[lang=zh-CN] .chart .panels svg")
    shown = page.inner_text("main")
    assert {"run": "诊断结果", "study": "各组合的结果"}[kind] in shown
    assert {"run": "Findings", "study": "Combinations"}[kind] not in shown
    assert window.wrong == []
    window.context.close()
