"""The curves as a tool, in a real browser: smoothed, along other axes, seen closely, saved; on wide and narrow windows,
in both languages, light and dark."""

import base64
import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from chromium import CROWDED, NAMELESS, Reader, started
from dashboard_site import FINDING, LAYERS, PREDICTIONS, RECIPE, Record, Site, make_run, make_study, served, steps

Open = Callable[..., Reader]
EPOCHS, STEPS = 8, 4000
SURFACE = {
    "kind": "surface",
    "xs": [-1.0, 0.0, 1.0],
    "ys": [-1.0, 0.0, 1.0],
    "losses": [[2.0, 1.0, 2.0], [1.0, 0.1, 1.0], [2.0, 1.0, 2.0]],
    "path": [[-1.0, -1.0, 2.0], [0.0, 0.0, 0.1]],
    "lowest": [0.0, 0.0, 0.1],
}
LONG = "a factor with quite a long name that takes two lines on a phone"


def long_course(seed: int = 0) -> list[Record]:
    """Eight epochs of 500 steps with a jump of the loss in the middle, measured layers, and many classes."""
    told: list[Record] = [{"kind": "start", "epochs": EPOCHS, "steps_per_epoch": STEPS // EPOCHS}]
    losses = [(2.0 if step < STEPS / 2 else 0.5) + 0.2 * ((step * 7919 + seed) % 100) / 100 for step in range(STEPS)]
    for epoch in range(1, EPOCHS + 1):
        first = (epoch - 1) * STEPS // EPOCHS
        block = steps(first + 1, losses[first : first + STEPS // EPOCHS], epoch)
        told += [
            block | {"norm": [1.0 + (step % 9) for step in range(STEPS // EPOCHS)]},
            LAYERS | {"step": first + epoch * epoch, "dead": [0.0, 0.0]},
        ]
        accuracy = 0.5 + 0.06 * min(epoch, 6) + 0.002 * seed
        score = {"loss": 1 - accuracy, "accuracy": accuracy, "f1": accuracy}
        told.append(
            {
                "kind": "epoch",
                "epoch": epoch,
                "step": epoch * STEPS // EPOCHS,
                "train": {"loss": losses[first]},
                "validation": score,
                "best": epoch <= 6,
                "seconds": 2.0,
            }
        )
    counts = [[95 if row == column else 1 + (row + column) % 3 for column in range(6)] for row in range(6)]
    told += [SURFACE, FINDING, PREDICTIONS | {"classes": [f"class {at}" for at in range(6)], "confusion": counts}]
    score = {"validation": {"loss": 0.2, "accuracy": 0.86}, "test": {"loss": 0.21, "accuracy": 0.85}}
    return [*told, {"kind": "end", "step": STEPS, "epochs": EPOCHS, "seconds": 16.0, "score": score}]


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
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A long run, four that differ in their seeds, and a study of one factor with a long name."""
    folder = tmp_path_factory.mktemp("curves")
    recipe = RECIPE + "clip_norm = 5.0\n"
    make_run(folder / "long", long_course(), recipe)
    for seed in range(4):
        make_run(folder / f"seed-{seed}", long_course(seed), f"{recipe}seed = {seed}\n")
    study = make_study(folder / "study", factor=f"net.{LONG}")
    combinations = [{f"net.{LONG}": rate} for rate in (0.01, 0.1)]
    members = [[number, seed, 0] for number in range(2) for seed in range(6)]
    rows = [[(1 + 0.1 * at) / epoch for at in range(12)] for epoch in (1, 2, 3)]
    lines: list[Record] = [
        {"kind": "stack", "stack": "a", "combinations": combinations, "members": members},
        {"kind": "member-epochs", "stack": "a", "epochs": [1, 2, 3], "train": rows, "validation": {"loss": rows}},
    ]
    journal = (study / "journal.jsonl").read_text().splitlines()
    told = [journal[0], *map(json.dumps, lines), *journal[1:]]
    (study / "journal.jsonl").write_text("\n".join(told) + "\n")
    with served(folder) as site:
        site.enter()
        yield site


@pytest.fixture
def reader(browser: Any, pictures: Path) -> Iterator[Open]:
    opened: list[tuple[Reader, str]] = []

    def open_window(site: Site, where: str = "", language: str = "en", **window: Any) -> Reader:
        reader = Reader(browser, pictures, **window)
        opened.append((reader, f"http://{site.host}/"))
        site.let_in(reader.context)
        reader.page.goto(f"http://{site.host}/?lang={language}{where}")
        reader.page.evaluate("words => localStorage.setItem('danlu-language', words)", language)
        return reader

    yield open_window
    for one, own in opened:
        one.context.close()
        assert one.wrong == []
        assert [url for url in one.foreign(own) if not url.startswith("blob:")] == []


def run_at(site: Site, name: str = "long", asked: str = "") -> str:
    return f"#/run/{site.id_of(name)}{asked}"


PATHS = "[...document.querySelectorAll('.chart[data-kind=curves] .panels path')].map((one) => one.getAttribute('d'))"
POINTS = f"{PATHS}[0].split(/[ML]/).length"
TICKS = "[...document.querySelectorAll('.chart[data-kind=curves] text.tick')].map((one) => one.textContent)"
SLIDER = ".chart[data-kind=curves] input[type=range]"


def curves(page: Any) -> Any:
    page.wait_for_selector(".chart[data-kind=curves] .panels svg")
    return page.locator(".chart[data-kind=curves]").first


@pytest.mark.slow
def test_the_slider_smooths_on_the_server_and_stays_in_the_address(gallery: Site, reader: Open) -> None:
    page = reader(gallery, run_at(gallery)).page
    curves(page)
    before = page.evaluate(PATHS)
    page.focus(SLIDER)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function(f"before => JSON.stringify({PATHS}) !== JSON.stringify(before)", arg=before)
    assert "σ" in page.text_content(".chart[data-kind=curves] output")
    assert re.search(r"smooth=\d+", page.url)
    assert page.evaluate(f"document.activeElement === document.querySelector('{SLIDER}')"), "it can be pressed again"
    seen, value = page.evaluate(PATHS), page.input_value(SLIDER)
    page.reload()
    curves(page)
    page.wait_for_function(f"seen => JSON.stringify({PATHS}) === JSON.stringify(seen)", arg=seen)
    assert page.input_value(SLIDER) == value


@pytest.mark.slow
def test_cells_are_saved_as_sharp_as_they_are_seen(gallery: Site, reader: Open) -> None:
    page = reader(gallery, run_at(gallery)).page
    curves(page)
    chart = page.locator(".chart[data-kind=confusion]").first
    chart.locator(".save summary").click()
    with page.expect_download() as download:
        chart.locator(".save button:text-is('SVG')").click()
    assert 'image-rendering="pixelated"' in Path(download.value.path()).read_text()


@pytest.mark.slow
def test_a_surface_is_saved_as_it_is_painted(gallery: Site, reader: Open) -> None:
    page = reader(gallery, run_at(gallery), color_scheme="dark").page
    chart = page.locator(".chart[data-kind=surface]").first
    chart.locator(".save summary").click()
    with page.expect_download() as download:
        chart.locator(".save button:text-is('SVG')").click()
    drawn = ET.fromstring(Path(download.value.path()).read_bytes())
    (image,) = (element for element in drawn.iter() if element.tag.endswith("}image"))
    with Image.open(io.BytesIO(base64.b64decode(image.attrib["href"].partition(",")[2]))) as painted:
        assert len(painted.convert("RGB").getcolors(2**24) or ()) > 20


@pytest.mark.slow
def test_axis_and_scales_are_chosen_and_stay_in_the_address(gallery: Site, reader: Open) -> None:
    page = reader(gallery, run_at(gallery)).page
    chart = curves(page)
    for axis, label in (("epoch", "epoch"), ("time", "training time in seconds"), ("step", "step")):
        chart.locator("select").select_option(axis)
        page.wait_for_selector(f".chart[data-kind=curves] .panels text:text-is('{label}')")
    chart.locator("select").select_option("epoch")
    page.wait_for_function(f"() => {TICKS}.includes('8')")
    chart.locator("label:has-text('log x') input").check()
    chart.locator("label:has-text('log y') input").check()
    assert {"axis=epoch", "logx=1", "logy=1"} <= set(page.url.partition("?lang=en")[2].partition("?")[2].split("&"))
    seen = page.evaluate(TICKS)
    page.reload()
    page.wait_for_function(f"seen => JSON.stringify({TICKS}) === JSON.stringify(seen)", arg=seen)


@pytest.mark.slow
def test_a_closer_look_has_finer_points_and_the_whole_comes_back(gallery: Site, reader: Open) -> None:
    page = reader(gallery, run_at(gallery)).page
    curves(page)
    whole = page.evaluate(TICKS)
    box = page.locator(".chart[data-kind=curves] .panels svg").bounding_box()
    coarse = page.evaluate(POINTS)
    assert coarse < STEPS / 3
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_function(f"() => {POINTS} > 700 && /low=/.test(location.hash)")
    low, high = (float(end) for end in re.findall(r"(?:low|high)=([\d.]+)", page.url))
    assert high - low < 0.3 * STEPS
    drawn = page.evaluate(POINTS)
    assert drawn > 3 * coarse * (high - low) / STEPS, "of this stretch there are more points than before"
    page.dblclick(".chart[data-kind=curves] .panels svg")
    page.wait_for_function(f"whole => JSON.stringify({TICKS}) === JSON.stringify(whole)", arg=whole)
    assert "low=" not in page.url


@pytest.mark.slow
def test_what_is_saved_holds_what_is_seen(gallery: Site, reader: Open) -> None:
    window = reader(gallery, run_at(gallery), color_scheme="dark")
    page = window.page
    chart = curves(page)
    got: dict[str, bytes] = {}
    for kind in ("SVG", "PNG", "CSV"):
        chart.locator(".save summary").click()
        with page.expect_download() as download:
            chart.locator(f".save button:text-is('{kind}')").click()
        assert download.value.suggested_filename == f"long-curves.{kind.lower()}"
        got[kind] = Path(download.value.path()).read_bytes()
    assert got["PNG"].startswith(b"\x89PNG")
    svg = ET.fromstring(got["SVG"])
    words = " ".join(text for element in svg.iter() if (text := element.text))
    assert "learning curves" in words
    assert "validation" in words
    assert b"var(--" not in got["SVG"]
    assert page.get_attribute("html", "data-theme") == "dark", "a picture on white leaves the page as it was"
    rows = list(csv.DictReader(io.StringIO(got["CSV"].decode("utf-8-sig"))))
    raw = [row for row in rows if row["panel"] == "loss" and "each step" in row["series"]]
    assert len(raw) == STEPS, "every step, not only those that are drawn"
    assert {row["panel"] for row in rows} >= {"loss", "accuracy", "gradient norm"}


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "start"), [("Markdown", "| step 4,000 |"), ("LaTeX", "\\begin{tabular}")])
def test_tables_are_copied(gallery: Site, reader: Open, kind: str, start: str) -> None:
    window = reader(gallery, run_at(gallery))
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chart = curves(window.page)
    chart.locator(".save summary").click()
    chart.locator(f".save button:has-text('{kind}')").click()
    window.page.wait_for_selector(".chart-tools [role=status]:text-is('Copied')")
    told = window.page.evaluate("navigator.clipboard.readText()")
    assert told.startswith(start)
    assert "0.86" in told


def test_seeds_are_a_band_and_single_curves_show_where_one_points(gallery: Site, reader: Open) -> None:
    ids = ",".join(gallery.id_of(f"seed-{seed}") for seed in range(4))
    page = reader(gallery, f"#/compare/{ids}").page
    chart = curves(page)
    page.wait_for_selector("text=95% intervals")
    assert "n = 4" in chart.text_content()
    svg = chart.locator(".panels svg")
    svg.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert chart.locator(".singles path").count() == 4
    assert "[" in chart.locator(".tip").text_content()
    chart.locator("label:has-text('Mean and interval') input").uncheck()
    page.wait_for_selector(".legend button:has-text('seed-3')")
    assert "bands=0" in page.url


def test_best_and_scored_are_told_apart(gallery: Site, reader: Open) -> None:
    page = reader(gallery, run_at(gallery)).page
    curves(page)
    legend = page.locator(".chart[data-kind=curves] .legend button").all_text_contents()
    assert {"best on validation", "scored at the end"} <= set(legend)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_no_words_of_a_chart_are_cut_or_overlap(
    gallery: Site, reader: Open, width: int, scheme: str, language: str
) -> None:
    ids = ",".join(gallery.id_of(f"seed-{seed}") for seed in range(4))
    places = {
        "run": run_at(gallery, asked="?axis=time&smooth=20"),
        "compare": f"#/compare/{ids}",
        "study": f"#/study/{gallery.id_of('study')}",
    }
    for name, where in places.items():
        window = reader(gallery, where, language, viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = window.page
        page.wait_for_selector(".chart .panels svg")
        page.wait_for_timeout(300)
        window.picture(f"curves-{name}-{width}-{scheme}-{language}")
        assert page.evaluate(CROWDED) == [], name
        assert window.fits(), name
        assert page.evaluate(NAMELESS) == []
