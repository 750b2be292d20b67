"""Terminal, page and report of a study, a search and a cure tell the same, sentence by sentence."""

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import view_samples as made
from danlu.base.words import say
from danlu.stats.members import MOST_MORE
from danlu.store.study_folder import StudyFolder
from danlu.view.cure import cure_lines, told_cure
from danlu.view.dashboard import study_page
from danlu.view.info.cure import cure_record
from danlu.view.info.study import StudyInfo, study_info_of
from danlu.view.info.study_record import search_record, study_record
from danlu.view.search import search_text
from danlu.view.search_words import told_search
from danlu.view.study import study_text
from danlu.view.study_report import study_html, study_report
from danlu.view.study_words import TextTable, told_study
from dashboard_site import make_cure, make_run, make_search, make_study


def told_of(info: StudyInfo) -> tuple[Any, str]:
    """What is told, and what the terminal prints of it."""
    if info.kind == "search":
        return told_search(search_record(info)), search_text(search_record(info))
    if info.kind == "cure":
        return told_cure(cure_record(info)), ""
    return told_study(study_record(info)), study_text(study_record(info))


def sample(kind: str, place: Path) -> StudyInfo:
    if kind == "crossed":
        return made.sample_study()
    run = make_run(place / "run")
    folders: Mapping[str, Callable[[], Path]] = {
        "study": lambda: make_study(place / "s"),
        "search": lambda: make_search(place / "s"),
        "cure": lambda: make_cure(place / "s", run),
    }
    return study_info_of(StudyFolder(folders[kind]()))


def texts(value: Any, rows: int | None = None) -> list[str]:
    """Every text in what is told, cells of tables included, as far as their first `rows`."""
    if isinstance(value, str):
        return [value] if value.strip() else []
    if isinstance(value, TextTable):
        return [text for row in (value.head, *value.rows[:rows], value.lines) for text in row if text]
    if isinstance(value, list | tuple):
        return [text for one in value for text in texts(one, rows)]
    parts = {name: part for name, part in vars(value).items() if name != "look"} if hasattr(value, "__dict__") else {}
    return texts([*parts.values()], rows)


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("kind", ["study", "crossed", "search", "cure"])
def test_page_and_report_hold_all_that_the_terminal_prints(kind: str, tmp_path: Path, language: str) -> None:
    info = sample(kind, tmp_path)
    told, printed = told_of(info)
    page = squeezed(json.dumps(study_page(info), ensure_ascii=False))
    report = squeezed(html.unescape(re.sub("<[^>]*>", " ", study_report(info))))
    closing = {getattr(told, "closing", ""), getattr(told, "looks", "")}  # where it lies and how long it took: the head
    wanted = [text for text in texts(told) if text not in closing]
    assert len(wanted) > 5
    for text in wanted:
        escaped = squeezed(json.dumps(text, ensure_ascii=False)[1:-1])
        assert escaped in page, text
        assert squeezed(text) in report, text
    for text in texts(told, rows=12) if printed else ():
        assert squeezed(text) in squeezed(printed) or "/" in text, text


def test_an_undecided_comparison_says_how_many_seeds_and_what_to_type(tmp_path: Path) -> None:
    info = sample("cure", tmp_path)
    (effect,) = [one for one in info.effects if one["verdict"] == "undecided"]
    assert (effect["more"], effect["reason"]) == (None, "small")
    study = study_info_of(StudyFolder(make_study(tmp_path / "other", seeds=2)))
    told = [(one["lacks"], one["command"]) for one in study_page(study)["answers"]]
    assert told == [("about 1 more seed", f"danlu resume {study.where} --more-seeds 1")]
    for page in map(html.unescape, (study_report(study), study_html(study), study_report(info))):
        assert "?" not in re.sub("<script.*?</script>|<style.*?</style>", "", page, flags=re.DOTALL)


def test_where_no_number_of_seeds_helps_all_say_so_and_offer_none(tmp_path: Path, language: str) -> None:
    info = sample("cure", tmp_path)
    page, report = study_page(info), html.unescape(study_report(info))
    (answer,) = [one["answer"] for one in page["answers"] if one["look"] == "undecided"]
    sentence = say("study.undecided-small", most=MOST_MORE)
    assert answer.endswith(sentence)
    assert sentence in report
    assert sentence in "\n".join(cure_lines(cure_record(info)))
    lines = [word.splitlines()[-1] for _, word in page["charts"]["lead"][0]["panels"][0]["y"]["ticks"]]
    assert lines.count(say("figure.more-than", count=MOST_MORE)) == 1


def test_a_search_counts_its_trials_and_no_factorial(tmp_path: Path) -> None:
    page = study_page(sample("search", tmp_path))
    assert page["done"] == "finished · rounds 2 · trials 24 · trainings 24 of at most 32 · 4 seconds"
    assert [chart["kind"] for chart in page["charts"]["lead"]] == ["importance", "parallel"]
    kinds = [chart["kind"] for chart in page["charts"]["rest"]]
    assert kinds == ["settings", "halving"]
    assert say("figure.mean") not in json.dumps(page["charts"])


def test_the_axis_of_a_setting_is_that_of_its_range(tmp_path: Path) -> None:
    page = study_page(sample("search", tmp_path))
    (settings,) = [chart for chart in page["charts"]["rest"] if chart["kind"] == "settings"]
    assert [bool(panel["x"].get("log")) for panel in settings["panels"]] == [True, False]
    assert {mark["type"] for panel in settings["panels"] for mark in panel["marks"]} == {"Points"}


def test_the_halving_ends_each_branch_where_its_trial_made_way(tmp_path: Path) -> None:
    page = study_page(sample("search", tmp_path))
    (halving,) = [chart for chart in page["charts"]["rest"] if chart["kind"] == "halving"]
    assert halving["notes"] == ["round 1: 12 → 9 → 6 → 3 trials", "round 2: 12 → 9 → 6 → 3 trials"]
    ends = [x for mark in halving["panels"][0]["marks"] if mark["type"] == "Points" for x in mark["xs"]]
    assert sorted(set(ends)) == [1.0, 2.0, 3.0, 8.0]


def test_a_cure_is_one_picture_of_its_effects_the_best_first(tmp_path: Path) -> None:
    info = sample("cure", tmp_path)
    page = study_page(info)
    assert [chart["kind"] for chart in page["charts"]["lead"]] == ["forest"]
    assert page["charts"]["folded"] == page["charts"]["rest"] == []
    means = {one["change"]: float(one["answer"].split()[0]) for one in page["answers"]}
    assert list(means.values()) == sorted(means.values(), reverse=True)
    (panel,) = page["charts"]["lead"][0]["panels"]
    assert panel["y"]["ticks"][0][1].partition("\n")[0] == "optim.lr=0.0125"
    assert page["command"].startswith("danlu cure ")
    assert page["command"].endswith(" --apply")


def test_a_cure_under_way_recommends_nothing_yet(tmp_path: Path) -> None:
    info = replace(sample("cure", tmp_path), state="stopped", recommended=None)
    assert study_page(info)["best"].startswith("Not all members are trained yet")
    assert study_page(replace(info, state="running"))["best"] == ""
