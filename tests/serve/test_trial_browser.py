"""A run tried out in a real browser: drawn on, filled in, typed into. The screenshots go to build/screenshots."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

import danlu
from chromium import NAMELESS, OVERLAPS, PALE, Reader, started
from danlu.serve.try_out import open_trial
from dashboard_site import Site, serving
from trial_runs import trained

Open = Callable[..., Reader]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as browser:
        yield browser


class Sites(dict[str, Site]):
    """A run of each kind, trained and served for the first test that asks for it."""

    def __init__(self, place: Path, open_until_the_end: ExitStack) -> None:
        super().__init__()
        self._place, self._open = place, open_until_the_end

    def __missing__(self, kind: str) -> Site:
        trial = open_trial(trained(kind, self._place), port=0)
        return self.setdefault(kind, self._open.enter_context(serving(trial)))


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with ExitStack() as opened:
        yield Sites(tmp_path_factory.mktemp("trials"), opened)


@pytest.fixture
def reader(browser: Any) -> Iterator[Open]:
    """`reader(site)` is a window on that page; at the end nothing may have gone wrong in it, or have left it."""
    folder = Path(__file__).parents[2] / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    opened: list[tuple[Reader, str]] = []

    def open_window(site: Site, words: str = "en", **window: Any) -> Reader:
        reader = Reader(browser, folder, **window)
        opened.append((reader, f"http://{site.host}/"))
        site.let_in(reader.context)
        reader.page.goto(f"http://{site.host}/?lang={words}")
        reader.page.wait_for_selector(".trial")
        return reader

    yield open_window
    for one, own in opened:
        one.context.close()
        assert one.wrong == []
        assert one.foreign(own) == []


def draw_one(page: Any) -> None:
    """A one, by mouse."""
    box = page.locator("canvas.drawing").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.15 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.85 * box["height"], steps=12)
    page.mouse.up()
    page.wait_for_selector(".answer")


@pytest.mark.slow
def test_a_digit_is_drawn_and_answered_with_its_reasons(sites: dict[str, Site], reader: Open) -> None:
    window = reader(sites["digits"])
    page = window.page
    draw_one(page)
    assert page.text_content(".answer") == "1"
    assert page.locator(".bars tr").count() == 10
    page.wait_for_function(
        "document.querySelector('canvas.heat').getContext('2d').getImageData(0, 0, 320, 320).data.some(one => one > 0)"
    )
    window.picture("try-digits")
    page.click("button:has-text('Clear')")
    page.wait_for_selector("text=The answer appears here.")


@pytest.mark.slow
def test_a_digit_is_drawn_with_the_keyboard(sites: dict[str, Site], reader: Open) -> None:
    page = reader(sites["digits"]).page
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "drawing":
            break
    for key in ("ArrowUp",) * 8 + (" ",) + ("ArrowDown",) * 16 + (" ",):
        page.keyboard.press(key)
    page.wait_for_selector(".answer")
    assert page.text_content(".answer") == "1"


def test_a_picture_is_chosen(sites: dict[str, Site], reader: Open, tmp_path: Path) -> None:
    Image.fromarray(numpy.full((60, 80, 3), 220, numpy.uint8)).save(tmp_path / "one.jpg")
    (tmp_path / "two.png").write_bytes(b"no picture")
    window = reader(sites["photos"], color_scheme="dark")
    page = window.page
    assert page.locator("canvas.drawing").count() == 0
    page.set_input_files("#file", tmp_path / "one.jpg")
    page.wait_for_selector(".answer:text-is('light')")
    window.picture("try-photos-dark")
    page.set_input_files("#file", tmp_path / "two.png")
    page.wait_for_selector(".problem")


@pytest.mark.slow
def test_a_row_is_filled_in_and_answers_at_once(sites: dict[str, Site], reader: Open) -> None:
    window = reader(sites["table"])
    page = window.page
    page.wait_for_selector(".answer:text-is('no')")
    page.select_option("label:has-text('sex') select", "female")
    page.wait_for_selector(".answer:text-is('yes')")
    assert page.locator(".bars").nth(1).locator("th").first.text_content() == "sex"
    window.picture("try-table")
    page.fill("label:has-text('age') input", "old")
    page.wait_for_selector(".problem:has-text('age')")
    page.click("button:has-text('Reset')")
    page.wait_for_selector(".answer:text-is('no')")


@pytest.mark.slow
def test_answers_of_many_parts_are_shown(sites: dict[str, Site], reader: Open, tmp_path: Path) -> None:
    Image.fromarray(numpy.random.default_rng(2).integers(0, 255, (8, 8), dtype=numpy.uint8)).save(tmp_path / "one.png")
    window = reader(sites["masks"])
    window.page.set_input_files("#file", tmp_path / "one.png")
    window.page.wait_for_selector(".legend")
    assert window.page.locator(".seen img").count() == 2
    assert window.page.locator(".legend tr").count() == 2
    window.picture("try-masks")
    window = reader(sites["tags"])
    window.page.fill("textarea", "the dog ran")
    window.page.wait_for_selector(".tagged span")
    assert window.page.locator(".tagged b").all_text_contents() == ["the", "dog", "ran"]
    assert window.page.locator(".tagged i").count() == 3
    window.picture("try-tags")
    window = reader(sites["series"])
    assert "day, town, temp" in window.page.text_content("#main")
    rows = "".join(f"2024-05-0{day},Ulm,{day + 9}\n" for day in range(1, 6))
    window.page.fill("textarea", "day,town,temp\n" + rows)
    window.page.wait_for_selector(".answer")
    assert "Ulm · 2024-05-05" in window.page.text_content(".told")
    window.picture("try-series")
    window.page.fill("textarea", "day,town\n1,2\n")
    window.page.wait_for_selector(".problem")


@pytest.mark.slow
def test_a_text_is_typed_and_one_goes_on(sites: dict[str, Site], reader: Open) -> None:
    window = reader(sites["texts"])
    window.page.fill("textarea", "bad day")
    window.page.wait_for_selector(".tokens span")
    assert window.page.text_content(".tokens").replace("␣", " ") == "bad day"
    window.picture("try-texts")
    window = reader(sites["book"])
    window.page.fill("textarea", "the time")
    window.page.keyboard.press("Control+Enter")
    window.page.wait_for_selector(".continued")
    assert window.page.text_content(".continued").startswith("the time")
    window.picture("try-book")


@pytest.mark.slow
def test_a_text_is_typed_and_translated_with_a_beam(reader: Open, tmp_path: Path) -> None:
    with serving(open_trial(trained("pairs", tmp_path), port=0)) as site:
        window = reader(site, "zh")
        window.page.fill("textarea", "tea sun")
        window.page.wait_for_selector(".continued")
        window.page.fill("input[type=number]", "3")
        with window.page.expect_request("**/api/source**") as asked:
            window.page.fill("textarea", "sun tea")
        assert asked.value.post_data_json == {"text": "sun tea", "beam": 3}
        window.picture("try-pairs")


@pytest.mark.every(12)
@pytest.mark.parametrize("words", ["en", "zh"])
@pytest.mark.parametrize("kind", ["digits", "prices", "book", "itself"])
def test_every_page_fits_a_phone(sites: dict[str, Site], reader: Open, kind: str, words: str) -> None:
    window = reader(sites[kind], words, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page = window.page
    if kind == "book":
        page.fill("textarea", "the time")
        page.click("form button")
        page.wait_for_selector(".continued")
    elif kind == "prices":
        page.wait_for_selector(".answer")
    else:
        draw = page.locator("canvas.drawing")
        draw.scroll_into_view_if_needed()
        box = draw.bounding_box()
        page.touchscreen.tap(box["x"] + 100, box["y"] + 100)
        page.wait_for_selector(".seen img")
    assert page.get_attribute("html", "lang").startswith(words)
    assert window.fits()
    for check in (OVERLAPS, NAMELESS, PALE):
        assert page.evaluate(check) == []
    window.picture(f"try-phone-{kind}-{words}")


@pytest.mark.slow
def test_language_and_theme_are_switched(sites: dict[str, Site], reader: Open) -> None:
    window = reader(sites["table"], color_scheme="light")
    page = window.page
    page.click("#language")
    page.wait_for_selector("html[lang=zh-CN]")
    page.wait_for_selector("text=恢复典型值")
    page.click("#theme")
    page.wait_for_selector(".answer")
    assert page.get_attribute("html", "data-theme") == "dark"
    window.picture("try-chinese-dark")


def test_script_in_names_and_answers_never_runs(tmp_path: Path, reader: Open) -> None:
    bad = "<img src=x onerror=pwned=1>"
    (tmp_path / "bad.csv").write_text(
        f"{bad},b,label\n"
        + "".join(f"{bad if row % 2 else 'x'},{row % 7},{bad if row % 2 else 'y'}\n" for row in range(60))
    )
    run = danlu.fit("mlp", tmp_path / "bad.csv", target="label", epochs=3, folder=tmp_path / "run", progress=False)
    with serving(open_trial(run, port=0)) as site:
        page = reader(site).page
        page.wait_for_selector(".answer")
        page.select_option("select", bad)
        page.fill("label:has-text('b') input", bad)
        page.wait_for_selector(".problem")
        assert page.evaluate("window.pwned") is None
        assert page.locator("main img").count() == 0
