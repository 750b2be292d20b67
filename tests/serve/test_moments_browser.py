"""The moments of a run in a real browser: the slider, the samples by epoch, where the time goes. Slow, for it draws
each page in both languages and looks, wide and narrow."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import CROWDED, NAMELESS, OVERLAPS, PALE, Reader, started
from dashboard_site import FOLLOWED, TIME, Site, course, epoch_record, make_run, moment, served, steps

pytestmark = pytest.mark.slow
EPOCHS = 24
NAMES = ["a class with a name as long as they come", "名字特别长的一个类别名称"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A run of two epochs, and one of 24 with 32 samples, 16 filters and classes of long names."""
    folder = tmp_path_factory.mktemp("moments")
    make_run(folder / "short")
    numbers = list(range(32))
    records: list[Any] = [
        course()[0] | {"epochs": EPOCHS},
        FOLLOWED | {"samples": numbers, "actual": [at % 2 for at in numbers], "classes": NAMES, "inputs": []},
    ]
    for epoch in range(1, EPOCHS + 1):
        likely = [min(0.99, epoch / (1 + at)) for at in numbers]
        told = {"answers": [at % 2 if likely[at] > 0.5 else 1 - at % 2 for at in numbers], "likely": likely}
        kept = moment(epoch, 30 * epoch) | told
        records += [
            steps(30 * epoch - 29, [2.0 / epoch] * 30, epoch=epoch),
            epoch_record(epoch, 30 * epoch, 1 - 0.5 / epoch),
            kept | {"boundary": None, "filters": kept["filters"] * 8},
            TIME | {"step": 30 * epoch, "gpu": 2**29 * epoch, "data": 0.1, "backward": 0.2, "validation": 0.1},
        ]
    make_run(folder / "long", records)
    with served(folder) as site:
        yield site


@pytest.fixture
def reader(browser: Any, tmp_path: Path) -> Iterator[Any]:
    opened: list[Reader] = []

    def open_run(site: Site, name: str, **window: Any) -> Reader:
        reader = Reader(browser, tmp_path, **window)
        opened.append(reader)
        site.let_in(reader.context)
        reader.page.goto(f"http://{site.host}/?lang=en#/run/{site.id_of(name)}")
        reader.page.click(".machine > summary")
        reader.page.wait_for_selector(".machine .chart")
        return reader

    yield open_run
    for one in opened:
        one.context.close()
        assert one.wrong == []
        assert one.foreign(f"http://{site_of(one)}/") == []


def site_of(reader: Reader) -> str:
    return reader.requests[0].split("/")[2]


def shown(page: Any) -> list[str]:
    """The counts in the confusion matrix of the moment."""
    return page.locator(".machine [data-kind='moment-confusion'] .panels svg > g text").all_text_contents()


def test_one_slider_moves_all_of_a_moment_together(site: Site, reader: Any) -> None:
    page = reader(site, "short").page
    page.wait_for_selector(".machine output:text-is('epoch 2')")
    assert page.locator(".curves .moment").count() == 0, "the newest moment is the end of the curves"
    kinds = page.locator(".machine .chart").evaluate_all("all => all.map(one => one.dataset.kind)")
    assert kinds == ["moment-confusion", "moment-boundary", "moment-filters"]
    assert "3" in shown(page)
    page.focus(".machine input[type=range]")
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".machine output:text-is('epoch 1')")
    page.wait_for_selector(".machine li:has-text('0.7000')")
    assert shown(page).count("2") == 2
    assert page.locator(".curves .moment").count() >= 1
    assert "traveller" in page.text_content(".machine .generated")
    assert page.get_attribute(".machine input[type=range]", "aria-valuetext") == "epoch 1"


def test_a_sample_is_shown_by_a_click_and_by_keys(site: Site, reader: Any) -> None:
    page = reader(site, "short").page
    chart = page.locator(".chart[data-kind=samples]")
    chart.locator("svg[tabindex]").scroll_into_view_if_needed()
    box = chart.locator("svg[tabindex]").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 28)
    assert "right since epoch 2" in chart.locator(".picked").text_content()
    assert chart.locator(".picked img").count() == 1
    chart.locator("svg[tabindex]").focus()
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    assert "right since epoch 1" in chart.locator(".picked").text_content()


def test_a_cell_of_the_confusion_matrix_shows_its_samples(site: Site, reader: Any) -> None:
    page = reader(site, "short").page
    chart = page.locator(".chart[data-kind=confusion]")
    chart.locator("svg[tabindex]").scroll_into_view_if_needed()
    box = chart.locator("svg[tabindex] image").first.bounding_box()
    page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["height"])
    assert "loss 2.5" in chart.locator(".picked").text_content(), "a cat that was taken for a dog"
    page.mouse.click(box["x"] + 0.25 * box["width"], box["y"] + 0.25 * box["height"])
    assert chart.locator(".picked figure").count() == 0
    chart.locator("svg[tabindex]").focus()
    page.keyboard.press("ArrowDown")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert "loss 2.5" in chart.locator(".picked").text_content()


def test_where_the_time_goes_is_told_and_copied(site: Site, reader: Any) -> None:
    window = reader(site, "long")
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = window.page
    chart = page.locator(".chart[data-kind=time]")
    assert "forward 12 s · 50%" in chart.locator(".legend").text_content()
    chart.locator(".save summary").click()
    chart.get_by_text("Copy as Markdown").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('forward 12 s')")


@pytest.mark.parametrize("words", ["en", "zh"])
@pytest.mark.parametrize(("width", "look"), [(390, "dark"), (1440, "light")])
@pytest.mark.parametrize("name", ["short", "long"])
def test_nothing_is_cut_or_lies_over_another(
    name: str, width: int, look: str, words: str, site: Site, reader: Any
) -> None:
    window = reader(site, name, viewport={"width": width, "height": 850}, color_scheme=look)
    page = window.page
    page.evaluate("words => localStorage.setItem('danlu-language', words)", words)
    page.goto(f"http://{site.host}/?lang={words}#/run/{site.id_of(name)}")
    page.reload()
    page.wait_for_selector(".machine .chart")  # what was opened once is open
    assert window.fits()
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(PALE) == []
    assert [one for one in page.evaluate(CROWDED) if "canary" not in one] == []
    assert json.loads(site.get(f"/api/moment/{site.id_of(name)}?at=0").body)["charts"]
