"""The report over several in a real browser: opened from a file, read in both languages, by keyboard, and printed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import view_samples as made
from chromium import Reader, started
from danlu.view.provenance import run_provenance, study_provenance
from danlu.view.report_items import ReportItem
from danlu.view.reported import reported
from hostile import PAYLOADS

ASKED = [
    (".chart-section", "(one) => one.getBoundingClientRect().height"),
    (".panels svg", "(one) => one.getBoundingClientRect().right"),
    (".chart-section", "(one) => getComputedStyle(one).breakInside"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as one:
        yield one


def items() -> list[ReportItem]:
    study = made.sample_study()
    runs = [made.sample_run(name=name) for name in ("first", "second")]
    return [
        ReportItem(1, "rates", study, lambda: study_provenance(study, {"seeds": [0, 1, 2]}, {})),
        *(ReportItem(at, run.name, run, lambda run=run: run_provenance(run)) for at, run in enumerate(runs, 2)),
    ]


@pytest.fixture
def window(browser: Any, tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(browser, tmp_path)
    yield reader
    assert reader.wrong == []
    assert reader.foreign((tmp_path / "report.html").as_uri()) == []
    reader.context.close()


def opened(window: Reader, tmp_path: Path, notes: str | None = None) -> Any:
    path = tmp_path / "report.html"
    path.write_text(reported(items(), notes, "notes.md"), encoding="utf-8")
    window.page.goto(path.as_uri())
    window.page.wait_for_selector(".chart .panels svg")
    return window.page


def test_both_languages_are_switched_in_the_file(window: Reader, tmp_path: Path) -> None:
    page = opened(window, tmp_path)
    assert page.locator("h2:visible").first.text_content() == "Question"
    page.click("text=中文")
    assert page.locator("h2:visible").first.text_content() == "问题"
    page.wait_for_selector(".half[lang=zh-CN] .chart .panels svg")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.evaluate("danlu.say('raw')") != "each step"
    page.click("text=English")
    assert page.locator("h2:visible").first.text_content() == "Question"


def test_a_number_opens_what_made_it_with_the_keyboard_alone(window: Reader, tmp_path: Path) -> None:
    page = opened(window, tmp_path)
    number = page.locator("table [popovertarget=made-en-2]").first
    number.focus()
    page.keyboard.press("Enter")
    shown = page.locator(".made:popover-open")
    assert "danlu fit runs/cats/recipe.toml" in (shown.text_content() or "")
    page.keyboard.press("Escape")
    assert shown.count() == 0
    assert page.evaluate("document.activeElement.textContent") == number.text_content()


def test_prose_with_scripts_runs_none_of_them(window: Reader, tmp_path: Path) -> None:
    page = opened(window, tmp_path, "# Mine\n\n![curves](first)\n\n" + "\n\n".join(PAYLOADS))
    assert page.evaluate("window.pwned") is None
    assert page.locator(".half img, .half iframe, .half object, .half form").count() == 0


@pytest.mark.every(2)
@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_is_wider_than_the_window(browser: Any, tmp_path: Path, width: int) -> None:
    window = Reader(browser, tmp_path, viewport={"width": width, "height": 850})
    page = opened(window, tmp_path)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    window.context.close()


@pytest.mark.slow
def test_on_a4_no_chart_is_cut(window: Reader, tmp_path: Path) -> None:
    """On paper nothing is wider than a page or higher, and what stands together is kept on one."""
    page = opened(window, tmp_path)
    content = page.pdf(prefer_css_page_size=True)
    assert re.search(rb"/MediaBox ?\[ ?0 0 59[45][.\d]* 84[12]", content)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 688, "height": 1017})  # A4 less the margins, 96 dots an inch
    page.wait_for_timeout(300)
    every = "[...document.querySelectorAll('.half:not([hidden]) {of}')].map({what})"
    high, wide, kept = (page.evaluate(every.format(of=of, what=what)) for of, what in ASKED)
    assert high
    assert max(high) <= 1017
    assert max(wide) <= 688
    assert set(kept) == {"avoid"}
    assert page.locator(".languages").is_hidden()
