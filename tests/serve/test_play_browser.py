"""The playground in a real browser: moved by keyboard and by hand. The screenshots go to build/screenshots."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import NAMELESS, OVERLAPS, PALE, Reader, started
from danlu.lab.play.playground import Playground
from danlu.serve.play import open_playground
from dashboard_site import Site, serving
from playing import write_points

Open = Callable[..., Reader]
WAIT = 90_000  # milliseconds for a move, on a busy machine
PAINTED = "() => document.querySelector('canvas.plane').toDataURL().length > 20_000"  # a blank one has 4,000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def moons() -> Iterator[Site]:
    playground = Playground("moons")
    with serving(open_playground(playground, port=0)) as site:
        yield site
    playground.close()


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
        reader.page.wait_for_selector(".play")
        reader.page.wait_for_function(PAINTED, timeout=WAIT)
        reader.page.wait_for_selector(".help h2", timeout=WAIT)
        return reader

    yield open_window
    for one, own in opened:
        one.context.close()
        assert one.wrong == []
        assert one.foreign(own) == []


@pytest.mark.slow
def test_a_slider_is_moved_by_keyboard_and_the_move_is_judged(moons: Site, reader: Open) -> None:
    window = reader(moons, viewport={"width": 1440, "height": 900})
    page = window.page
    page.focus("#play-depth")
    page.keyboard.press("Home")
    page.wait_for_selector(".change:has-text('hidden layers')", timeout=WAIT)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.wait_for_selector(".change:has-text('→ 2')", timeout=WAIT)
    page.focus("#play-width")
    page.keyboard.press("End")
    page.wait_for_selector(".change:has-text('→ 32')", timeout=WAIT)
    assert page.get_attribute("#play-width", "aria-valuetext") == "32"
    assert page.text_content("output[for=play-width]") == "32"
    assert page.locator(".verdict").count() == 1
    assert "Comparison" in page.text_content(".help")
    assert "accuracy" in page.get_attribute("canvas.plane", "aria-label")
    assert page.text_content("main h1") == "moons"
    window.picture("play-moons")


@pytest.mark.slow
def test_a_shape_is_chosen_and_other_data_are_not_compared(moons: Site, reader: Open) -> None:
    window = reader(moons)
    page = window.page
    page.select_option("#play-shape", "xor")
    page.wait_for_selector(".verdict.none", timeout=WAIT)
    page.select_option("#play-shape", "moons")
    page.wait_for_selector(".change:has-text('xor → moons')", timeout=WAIT)


@pytest.mark.slow
def test_the_recipe_is_copied(moons: Site, reader: Open) -> None:
    window = reader(moons)
    page = window.page
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click("summary:has-text('Command')")
    page.click("details[open] .copy")
    page.wait_for_selector(".copy:text-is('Copied')")
    assert page.evaluate("() => navigator.clipboard.readText()").startswith("danlu fit data.name=moons")
    assert page.get_attribute("details[open] .copy", "aria-label") == "Copy Command"


@pytest.mark.slow
def test_each_control_has_a_name_and_is_reached_by_tab(moons: Site, reader: Open) -> None:
    page = reader(moons).page
    names = page.evaluate(
        "[...document.querySelectorAll('.chosen input, .chosen select')].map((one) => one.labels[0].textContent.trim())"
    )
    assert len(names) == 9
    assert all(names)
    reached = set[str]()
    for _ in range(16):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {f"play-{name}" for name in ("shape", "noise", "depth", "width", "lr", "dropout", "batch_size")} <= reached
    assert page.evaluate("document.querySelector('.help').getAttribute('aria-live')") == "polite"


@pytest.mark.every(9)
@pytest.mark.parametrize("words", ["en", "zh"])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_size_fits_in_both_languages_and_themes(
    moons: Site, reader: Open, words: str, theme: str, width: int
) -> None:
    window = reader(moons, words, viewport={"width": width, "height": 900}, color_scheme=theme)
    page = window.page
    page.focus("#play-lr")
    page.keyboard.press("ArrowLeft" if theme == "dark" else "ArrowRight")
    page.wait_for_selector(".verdict", timeout=WAIT)
    page.wait_for_selector(".help:not(.old)", timeout=WAIT)
    assert page.get_attribute("html", "lang").startswith(words)
    assert window.fits()
    page.evaluate("scrollTo(0, 0)")  # the bar at the top lies over what has been scrolled under it
    for check in (OVERLAPS, NAMELESS, PALE):
        assert page.evaluate(check) == []
    window.picture(f"play-{width}-{words}-{theme}")


@pytest.mark.slow
def test_language_and_theme_are_switched(moons: Site, reader: Open) -> None:
    page = reader(moons, color_scheme="light").page
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate(PAINTED)
    page.click("#language")
    page.wait_for_selector("html[lang=zh-CN]")
    page.wait_for_selector("h2:has-text('这样改有用吗')", timeout=WAIT)


@pytest.mark.slow
def test_script_in_names_and_long_names_do_no_harm(tmp_path: Path, reader: Open) -> None:
    bad = "<img src=x onerror=pwned=1>"
    table = write_points(tmp_path / "points.csv").read_text()
    table = table.replace("class", bad, 1).replace(",out,", f",{bad}{'w' * 80},")
    (tmp_path / f"{bad}.csv").write_text(table.replace("a,b,", f"{'longname' * 20},b,", 1))
    playground = Playground(tmp_path / f"{bad}.csv", bad, ["0", "1"])
    with serving(open_playground(playground, port=0)) as site:
        window = reader(site, viewport={"width": 390, "height": 800})
        assert window.page.evaluate("window.pwned") is None
        assert window.page.locator("main img").count() == 0
        assert window.fits()
        assert window.page.evaluate(OVERLAPS) == []
    playground.close()
