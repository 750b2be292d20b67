"""The list as a tool, in a real browser: typed at, unfolded, grouped, written in, by mouse and by keyboard alone."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chromium import NAMELESS, OVERLAPS, PALE, Reader, started
from danlu.view.page.assets import (
    CHART_SCRIPTS,
    DASHBOARD_SCRIPTS,
    PLAY_SCRIPTS,
    PLAY_STYLE,
    STYLES,
    TRIAL_SCRIPTS,
    TRIAL_STYLE,
    asset,
)
from dashboard_site import RECIPE, Site, course, make_run, make_study, served
from hostile import PAYLOADS

Open = Callable[..., Reader]
LONG = "a-run-with-a-very-long-name-" * 3 + "end"
WIDE_ZH = "一次名字特别长的训练" * 8


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started() as browser:
        yield browser


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Runs of two rates, one of them with a name as long as they come, and a study with its best run in it."""
    for number, rate in enumerate((0.05, 0.05, 0.5)):
        make_run(tmp_path / f"run-{number}", recipe=RECIPE.replace("lr = 0.05", f"lr = {rate}"))
    make_run(tmp_path / LONG, [*course()[:5]])
    make_run(tmp_path / WIDE_ZH)
    make_run(make_study(tmp_path / "study") / "best-1")
    with served(tmp_path) as site:
        yield site


@pytest.fixture
def reader(browser: Any, tmp_path: Path) -> Iterator[Open]:
    opened: list[tuple[Reader, str]] = []

    def open_window(site: Site, where: str = "", **window: Any) -> Reader:
        reader = Reader(browser, tmp_path, **window)
        opened.append((reader, f"http://{site.host}/"))
        site.let_in(reader.context)
        reader.enter(f"http://{site.host}/{where}")
        return reader

    yield open_window
    for one, own in opened:
        one.context.close()
        assert one.wrong == []
        assert one.foreign(own) == []


def names(page: Any) -> list[str]:
    return page.locator("td.name a").all_text_contents()


@pytest.mark.slow
def test_completion_is_typed_with_the_keyboard_alone(site: Site, reader: Open) -> None:
    page = reader(site).page
    page.focus("[role=combobox]")
    page.keyboard.type("optim.l")
    page.wait_for_selector("[role=option]:has-text('optim.lr')")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("[role=combobox]", "aria-activedescendant") == "completion-0"
    page.keyboard.press("Enter")
    assert page.input_value("[role=combobox]") == "optim.lr "
    page.keyboard.type("= 0.")
    page.wait_for_selector("[role=option]:text-is('0.5')")
    while page.text_content("[aria-selected=true]" if page.locator("[aria-selected=true]").count() else "h1") != "0.5":
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=1 of 7")
    assert names(page) == ["run-2"]
    assert page.evaluate("document.activeElement.getAttribute('role')") == "combobox"


@pytest.mark.slow
def test_studies_unfold_and_what_lies_in_them_is_not_strewn(site: Site, reader: Open) -> None:
    page = reader(site).page
    assert "best-1" not in names(page)
    page.focus("[data-unfold]")
    page.keyboard.press("Enter")
    page.wait_for_selector("tr.inside a:text-is('best-1')")
    assert page.locator("tr.inside").count() == 13, "its twelve trainings and the best run"
    assert page.get_attribute("[data-unfold]", "aria-expanded") == "true"
    assert page.evaluate("document.activeElement.dataset.unfold") is not None, "the focus stays where it was"
    assert "opened=" in page.url


@pytest.mark.slow
def test_groups_have_a_mean_and_a_band(site: Site, reader: Open) -> None:
    page = reader(site, "#/?group=optim.lr").page
    page.wait_for_selector("tr.group")
    told = page.locator("tr.group td.name b").all_text_contents()
    assert told == ["learning rate = 0.05", "learning rate = 0.5"]
    assert page.locator("tr.group .band svg .mean").count() == len(told)
    page.click("tr.group [data-unfold]")
    page.wait_for_selector("tr.inside")


@pytest.mark.slow
def test_a_baseline_puts_differences_in_the_cells(site: Site, reader: Open) -> None:
    page = reader(site).page
    page.check("tr:has(a:text-is('run-0')) input")
    page.click("#do-base")
    page.wait_for_selector("tr:has(a:text-is('run-2')) .difference:has-text('+0.45')")
    assert page.locator("tr.base .difference").count() == 0
    page.click("#base")
    page.wait_for_function("() => document.querySelectorAll('.difference').length === 0")


@pytest.mark.slow
def test_columns_are_chosen_and_those_that_differ_are_found(site: Site, reader: Open) -> None:
    page = reader(site).page
    page.click("#columns summary")
    assert page.locator(".choices fieldset").first.locator("legend").text_content() == "Settings that differ"
    page.click("text=Show just the settings that differ")
    page.wait_for_function("() => !document.querySelector('thead').textContent.includes('epochs')")
    assert "learning rate" in page.text_content("thead")
    page.check("[data-column='train.epochs']")
    page.wait_for_selector("th button:text-is('train.epochs')")
    page.keyboard.press("Escape")
    assert "columns=optim.lr" in page.url


def test_notes_tags_and_stars_are_written_and_read_again(site: Site, reader: Open, tmp_path: Path) -> None:
    window = reader(site)
    page = window.page
    page.click("tr:has(a:text-is('run-0')) [data-star]")
    page.wait_for_selector("tr:has(a:text-is('run-0')) [aria-pressed=true]")
    page.check("tr:has(a:text-is('run-0')) input")
    page.check("tr:has(a:text-is('run-1')) input")
    page.click("#do-tag")
    page.keyboard.type("paper, 论文")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelectorAll('.chip.tag').length === 4")
    page.click("tr a:text-is('run-0')")
    page.wait_for_selector("#edit-notes")
    page.click("#edit-notes")
    page.fill(".notes input >> nth=0", "the good one")
    page.fill(".notes textarea", "# why\n**because** of `lr`\n- [link](https://example.com/x)\n")
    page.click(".notes button[type=submit]")
    page.wait_for_selector(".notes strong:text-is('because')")
    assert page.get_attribute(".notes .markdown a", "rel") == "noopener noreferrer nofollow"
    page.wait_for_selector("h1:text-is('the good one')")
    told = json.loads((tmp_path / "run-0" / "notes.json").read_text())
    assert told["star"]
    assert told["tags"] == ["paper", "论文"]
    assert told["title"] == "the good one"


@pytest.mark.slow
def test_delete_is_undone(site: Site, reader: Open, tmp_path: Path) -> None:
    page = reader(site).page
    page.check("tr:has(a:text-is('run-0')) input")
    page.click("#do-delete")
    page.wait_for_selector("#undo")
    page.wait_for_selector("tr a:text-is('run-0')", state="detached")
    assert not (tmp_path / "run-0").exists()
    assert page.evaluate("document.activeElement.id") == "undo"
    page.keyboard.press("Enter")
    page.wait_for_selector("tr a:text-is('run-0')")
    assert (tmp_path / "run-0" / "journal.jsonl").is_file()


@pytest.mark.slow
def test_archived_runs_are_left_out_until_they_are_asked_for(site: Site, reader: Open) -> None:
    page = reader(site).page
    page.check("tr:has(a:text-is('run-0')) input")
    page.click("#do-archive")
    page.wait_for_selector("tr a:text-is('run-0')", state="detached")
    page.click("#archived")
    page.wait_for_selector("tr.archived a:text-is('run-0')")
    assert "archived=1" in page.url


def test_script_in_notes_is_text(site: Site, reader: Open, tmp_path: Path) -> None:
    everything = "\n\n".join(payload.replace("\x00", "") for payload in PAYLOADS)
    hostile = (
        f'{everything}\n[x](javascript:pwned=1) [y](https://a.example/"onmouseover=pwned=1) <img src=x onerror=pwned=1>'
    )
    told = {
        "title": "<script>pwned=1</script>",
        "tags": ["<b onclick=pwned=1>"],
        "note": hostile.replace("\u2028", "").replace("\u2029", ""),
    }
    (tmp_path / "run-0" / "notes.json").write_text(json.dumps(told), encoding="utf-8")
    window = reader(site)
    page = window.page
    page.click("tr a:text-is('<script>pwned=1</script>')")
    page.wait_for_selector(".markdown")
    assert "onerror=pwned=1" in page.text_content(".markdown")
    assert page.locator(".markdown script, .markdown img, .markdown iframe, .markdown [onclick]").count() == 0
    assert page.locator(".markdown a[href^='javascript']").count() == 0
    assert page.evaluate("window.pwned") is None


@pytest.mark.slow
def test_read_only_there_is_nothing_to_write_with(tmp_path: Path, reader: Open) -> None:
    make_run(tmp_path / "run-0")
    with served(tmp_path, read_only=True) as site:
        window = reader(site)
        window.page.check("tr:has(a:text-is('run-0')) input")
        assert window.page.locator("#do-delete, #do-tag, [data-star], .trash").count() == 0
        window.open("run-0")
        assert window.page.locator("#edit-notes").count() == 0
        window.page.goto("about:blank")


@pytest.mark.every(9)
@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("words", ["en", "zh"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_text_is_cut_or_lies_over_other_text(site: Site, reader: Open, width: int, words: str, theme: str) -> None:
    """For the longest names, with everything unfolded; and everything that can be used has a name."""
    site.enter()
    study = next(row["id"] for row in site.rows() if row["kind"] == "study")
    base = site.id_of("run-0")
    window = reader(site, viewport={"width": width, "height": 900}, color_scheme=theme)
    page = window.page
    page.evaluate("words => localStorage.setItem('danlu-language', words)", words)
    for view in (f"opened={study}&base={base}", "group=optim.lr", "where=optim.lr+%3D+0.05"):
        page.goto(f"http://{site.host}/?lang={words}#/?{view}")
        page.reload()
        page.wait_for_selector("table.list tbody tr")
        assert window.fits()
        assert page.evaluate(OVERLAPS) == []
        assert page.evaluate(NAMELESS) == []
        assert page.evaluate(PALE) == []


@pytest.mark.slow
def test_a_page_says_that_it_loads_until_it_is_answered(site: Site, reader: Open) -> None:
    page = reader(site).page
    page.route("**/api/run/**", lambda route: None)
    page.click("tr a:text-is('run-0')")
    page.wait_for_selector(".loading:text-is('Loading …')")
    page.unroute("**/api/run/**")


@pytest.mark.slow
def test_findings_have_the_numbers_of_their_marks_and_remedies_are_copied(site: Site, reader: Open) -> None:
    window = reader(site)
    window.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = window.page
    page.click("tr a:text-is('run-0')")
    page.wait_for_selector(".finding.error b:has-text('1 · error')")
    page.click(".remedies .copy")
    page.wait_for_selector(".copy:text-is('Copied')")
    assert page.evaluate("() => navigator.clipboard.readText()") == 'net.activation = "relu"'
    assert page.locator("code:text-matches('^danlu cure .*run-0$')").count() == 1


@pytest.mark.slow
def test_an_axis_has_more_than_one_tick(site: Site, reader: Open) -> None:
    page = reader(site).page
    count = "([low, high, count]) => danlu.ticks(low, high, count, false).length"
    for ends in ([0.84, 0.96, 2], [4.9, 5.1, 1], [0.89, 0.911, 2], [1.9, 3.1, 1], [0, 1, 3]):
        assert page.evaluate(count, ends) >= 2


def test_the_code_of_the_page_is_small() -> None:
    scripts = {*CHART_SCRIPTS, *DASHBOARD_SCRIPTS, *TRIAL_SCRIPTS, *PLAY_SCRIPTS}
    assert sum(len(asset(name)) for name in scripts | {*STYLES, TRIAL_STYLE, PLAY_STYLE}) < 150_000
    assert len(asset("play.js")) + len(asset(PLAY_STYLE)) < 14_000


@pytest.mark.slow
def test_a_study_shows_the_table_of_the_terminal_and_its_best_run(site: Site, reader: Open) -> None:
    page = reader(site).page
    page.click("tr a:text-is('study')")
    page.wait_for_selector("h2:has-text('Combinations')")
    assert page.locator("tr:has(td:text-is('optim.lr=0.1')) td").all_text_contents()[:2] == ["optim.lr=0.1", "0.9025"]


@pytest.mark.slow
def test_the_pace_of_a_training_is_told(tmp_path: Path, reader: Open) -> None:
    begun = [{"kind": "start", "epochs": 12, "steps_per_epoch": 30}, *course()[3:4]]
    run = make_run(tmp_path / "run-0", begun, RECIPE + "batch_size = 16\n")
    with served(tmp_path) as site:
        page = reader(site).page
        page.click("tr a:text-is('run-0')")
        page.wait_for_selector(".pace:has-text('epoch 1 of 12')")
        with (run / "journal.jsonl").open("a") as journal:
            journal.write(json.dumps(course()[8]) + "\n")
        page.wait_for_selector(".pace:has-text('epoch 2 of 12')")
        page.wait_for_function(
            "() => /[0-9] samples.s · [0-9:]+ left/.test(document.querySelector('.pace').textContent)"
        )
        page.goto("about:blank")
