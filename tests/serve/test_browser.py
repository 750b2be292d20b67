"""The dashboard in a real browser, a real training beside it. The screenshots go to build/screenshots."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import Reader, started
from danlu.view.report import run_report
from danlu.view.study_report import study_report
from dashboard_site import RECIPE, Site, course, make_run, make_study, served
from hostile import PAYLOADS, hostile_run, hostile_study, with_payload
from preloaded import Process

SURFACE = {
    "kind": "surface",
    "xs": [-1.0, 0.0, 1.0],
    "ys": [-1.0, 0.0, 1.0],
    "losses": [[2.0, 1.0, 2.0], [1.0, 0.1, 1.0], [2.0, 1.0, 2.0]],
    "path": [[-1.0, -1.0, 2.0], [0.0, 0.0, 0.1]],
    "lowest": [0.0, 0.0, 0.1],
}
SLOW = ("fit", "--net", "mlp", "--name", "live", "net.activation=sigmoid", "net.hidden=[64,64,64,64,64,64]")
Open = Callable[..., Reader]


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


@pytest.fixture
def reader(browser: Any, pictures: Path) -> Iterator[Open]:
    """`reader(site)` is a window on that dashboard; at the end nothing may have gone wrong in it, or have left it."""
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


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Runs and a study that were carried out long ago, none of their code at hand."""
    folder = tmp_path_factory.mktemp("gallery")
    make_run(folder / "alpha", [*course(), SURFACE])
    make_run(folder / "beta", recipe=RECIPE.replace("lr = 0.05", "lr = 0.5"))
    make_study(folder / "study")
    with served(folder) as site:
        yield site


@pytest.fixture
def danlu(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """danlu on another terminal; what still runs at the end is stopped."""
    running: list[Process] = []

    def typed(*words: str) -> Process:
        surroundings = {**os.environ, "OMP_NUM_THREADS": "1", "DANLU_LANG": "en"}
        running.append(Process(["-m", "danlu", *words], cwd=tmp_path, env=surroundings))
        return running[-1]

    yield typed
    for process in running:
        process.kill()
        process.wait()


STEPS = "Number(document.querySelector('.state').textContent.match(/([0-9,]+) steps/)[1].replaceAll(',', ''))"
CURVE = "document.querySelector('.chart[data-kind=curves] .panels path').getAttribute('d')"
PAINTED = "document.querySelector('canvas').getContext('2d').getImageData(0, 0, 4000, 4000).data.some(part => part > 0)"


@pytest.mark.slow
def test_a_training_on_another_terminal_is_watched_while_it_goes_on_and_after_a_break(
    tmp_path: Path, reader: Open, danlu: Callable[..., Process]
) -> None:
    runs = tmp_path / "runs"
    make_run(runs / "earlier")
    with served(runs) as site:
        window = reader(site)
        page = window.page
        training = danlu(*SLOW, "train.epochs=3000")
        page.wait_for_selector("tr:has(a:text-is('live')) .state.running")
        window.open("live")
        page.evaluate("window.stayed = true")
        seen, drawn = page.evaluate(STEPS), page.evaluate(CURVE)
        page.wait_for_function(f"seen => {STEPS} > seen", arg=seen)
        page.wait_for_function(f"drawn => {CURVE} !== drawn", arg=drawn)
        page.wait_for_selector(".finding.error:has-text('vanishing-gradient')")
        page.wait_for_selector(".chart[data-kind=flow]")
        window.picture("live")
        training.send_signal(signal.SIGINT)
        training.wait(60)
        page.wait_for_selector(".state.stopped:has-text('not finished')")
        broken_off = page.evaluate(STEPS)
        danlu("resume", "runs/live")
        page.wait_for_selector(".state.running")
        page.wait_for_function(f"seen => {STEPS} > seen", arg=broken_off)
        assert page.evaluate("window.stayed")  # all of that on the page as it was opened
        window.picture("live-after-a-break")
        window.back()
        assert page.locator("tr:has(a:text-is('live')) .badge.some").count() == 1
        page.goto("about:blank")  # it would go on asking a site that is gone


@pytest.mark.slow
def test_two_runs_side_by_side(gallery: Site, reader: Open) -> None:
    window = reader(gallery)
    page = window.page
    assert page.is_disabled("#do-compare")
    for name in ("alpha", "beta"):
        page.check(f"tr:has(a:text-is('{name}')) input")
    page.click(".bar button:has-text('Compare (2)')")
    page.wait_for_selector(".chart[data-kind=curves]")
    assert {"alpha", "beta"} <= set(page.locator(".legend button").all_text_contents())
    assert page.locator("tr:has(td:text-is('optim.lr')) td").all_text_contents() == ["optim.lr", "0.05", "0.5"]
    window.picture("compared")


def test_a_study_fills_in_and_shows_its_effects(tmp_path: Path, reader: Open) -> None:
    study = make_study(tmp_path / "study")
    whole = (study / "journal.jsonl").read_text().splitlines(keepends=True)
    (study / "journal.jsonl").write_text("".join(whole[:7]))
    with served(tmp_path) as site:
        window = reader(site)
        window.open("study")
        page = window.page
        page.wait_for_selector("text=6 of 12 trainings")
        with (study / "journal.jsonl").open("a") as journal:
            journal.write("".join(whole[7:]))
        page.wait_for_selector("text=12 of 12 trainings")
        page.wait_for_selector(".state.finished")
        page.wait_for_selector(".chart[data-kind=forest] .panels svg")
        assert "optim.lr: 0.01 → 0.1" in page.text_content("main")
        window.picture("study")
        page.goto("about:blank")  # it would go on asking a site that is gone


@pytest.mark.slow
def test_surface_and_net_are_shown(gallery: Site, reader: Open) -> None:
    window = reader(gallery)
    window.open("alpha")
    page = window.page
    page.wait_for_selector("canvas.solid")
    page.wait_for_function(PAINTED)
    page.wait_for_function("document.querySelector('.graph img').naturalWidth > 50")
    window.picture("surface-and-net")


@pytest.mark.slow
def test_language_and_theme_are_switched_and_kept(gallery: Site, reader: Open) -> None:
    window = reader(gallery, color_scheme="light")
    window.open("alpha")
    page = window.page
    page.click("#language")
    page.wait_for_selector("html[lang=zh-CN]")
    page.wait_for_selector("text=诊断结果")
    assert page.text_content("h1") == "alpha"
    color = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(color)
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate(color) != light
    window.picture("chinese-dark")
    page.goto(f"http://{gallery.host}/")
    page.wait_for_selector("text=训练记录")
    assert page.get_attribute("html", "data-theme") == "dark"


@pytest.mark.slow
def test_the_dark_of_the_system_is_followed(gallery: Site, reader: Open) -> None:
    assert reader(gallery, color_scheme="dark").page.get_attribute("html", "data-theme") == "dark"


def test_the_list_is_filtered_and_sorted(gallery: Site, reader: Open) -> None:
    page = reader(gallery).page
    seen = "names => [...document.querySelectorAll('td.name a')].map(one => one.textContent).join() === names"
    for column, names in (
        ("name", "alpha,beta,study"),
        ("name", "study,beta,alpha"),
        ("learning rate", "beta,alpha,study"),
    ):
        page.click(f"th button:text-is('{column}')")
        page.wait_for_function(seen, arg=names)
    page.fill("input[type=search]", "mlp lr > 0.1")
    page.wait_for_function(seen, arg="beta")
    assert "1 of 3" in page.text_content("main")
    assert "where=mlp+lr+%3E+0.1" in page.url
    page.reload()
    page.wait_for_function(seen, arg="beta")
    page.fill("input[type=search]", "mlp colour = red")
    page.wait_for_selector(".wrong:has-text('column 5')")
    assert page.text_content(".wrong mark") == "colour = red"


def test_all_is_reached_with_the_keyboard(gallery: Site, reader: Open) -> None:
    page = reader(gallery).page
    page.fill("input[type=search]", "alpha")
    page.wait_for_selector("text=1 of 3")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "alpha":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".chart[data-kind=curves] .panels svg")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "svg":
            break
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert "step" in page.text_content(".tip:not(.hidden)")
    last = "[...document.querySelectorAll('.chart[data-kind=curves] text.tick')].map(e => e.textContent).join()"
    before = page.evaluate(last)
    page.keyboard.press("+")
    assert page.evaluate(last) != before
    page.keyboard.press("Escape")
    assert page.evaluate(last) == before


@pytest.mark.every(2)
@pytest.mark.parametrize("words", ["en", "zh"])
def test_every_page_fits_a_phone(gallery: Site, reader: Open, words: str) -> None:
    window = reader(gallery, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page = window.page
    page.evaluate("words => localStorage.setItem('danlu-language', words)", words)
    page.reload()
    page.wait_for_selector("table.list tbody tr")
    assert window.fits()
    window.picture(f"phone-list-{words}")
    for name in ("alpha", "study"):
        window.open(name)
        assert window.fits()
        window.picture(f"phone-{name}-{words}")
        window.back()


@pytest.mark.slow
def test_a_dashboard_that_is_stopped_is_told(tmp_path: Path, browser: Any, pictures: Path) -> None:
    make_run(tmp_path / "one")
    window = Reader(browser, pictures)
    with served(tmp_path) as site:
        window.enter(site.dashboard.address)
    window.page.wait_for_selector(".problem:has-text('No answer from danlu view')")
    window.context.close()


def test_script_in_a_run_is_shown_and_never_runs(tmp_path: Path, reader: Open) -> None:
    everything = " ".join(PAYLOADS).replace("\x00", "")
    for number, payload in enumerate(PAYLOADS):
        name = payload.replace("/", "_").replace("\x00", "_")
        make_run(tmp_path / f"{number:02} {name}", [])
    quoted = json.dumps(everything)
    recipe = f"[net]\nname = {quoted}\n\n[data]\nname = {quoted}\n"
    make_run(tmp_path / "all", [with_payload(record, everything) for record in course()], recipe)
    make_study(tmp_path / "studied", factor=f"net.{everything}")
    with served(tmp_path) as site:
        window = reader(site)
        assert window.page.locator("td.name").count() == len(PAYLOADS) + 2
        assert window.page.locator("main script, main iframe, main img").count() == 0
        for name in ("all", "studied"):
            window.open(name)
            assert "pwned=1" in window.page.text_content("main")
            assert window.page.evaluate("window.pwned") is None
            window.back()
        window.page.goto("about:blank")


@pytest.mark.every(2)
@pytest.mark.parametrize("kind", ["run", "study"])
def test_a_report_opens_from_a_file_and_reaches_for_nothing(
    tmp_path: Path, browser: Any, pictures: Path, kind: str
) -> None:
    everything = " ".join(PAYLOADS)
    page = run_report(hostile_run(everything)) if kind == "run" else study_report(hostile_study(everything))
    (tmp_path / "report.html").write_text(page, encoding="utf-8")
    window = Reader(browser, pictures)
    window.page.goto((tmp_path / "report.html").as_uri())
    window.page.wait_for_selector(".chart .panels svg")
    assert window.page.evaluate("window.pwned") is None
    assert window.wrong == []
    assert window.foreign((tmp_path / "report.html").as_uri()) == []
    window.picture(f"report-{kind}")
    window.context.close()
