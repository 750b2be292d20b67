"""The report: one file that needs nothing but itself, summary first, every word escaped."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

import view_samples as made
from danlu.base.words import catalogue
from danlu.view.report import run_html, run_report
from danlu.view.study_report import study_html, study_report

REPORTS = {"run": lambda: run_report(made.sample_run()), "study": lambda: study_report(made.sample_study())}
REACHING = {"src", "href", "action", "data", "poster", "srcset", "background", "formaction"}


class Page(HTMLParser):
    """Headings, what reaches outside, and the policy of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.reached: list[str] = []
        self.headings: list[str] = []
        self.policy = ""
        self.inline: dict[str, str] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        values = dict(attrs)
        self.reached += [value or "" for name, value in attrs if name in REACHING]
        assert not [name for name in values if name.startswith("on")]
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"] or ""
        if tag == "script" and values.get("type") == "application/json":
            self._open = "data"

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("h1", "h2") or (self._open == "p" and data.isprintable()):
            self.headings.append(data)
        if self._open in ("script", "style"):
            self.inline[self._open] = data


@pytest.mark.parametrize("kind", REPORTS)
def test_the_numbers_of_both_languages_stand_in_the_file_once(kind: str) -> None:
    text = REPORTS[kind]()
    rows = re.findall(r"\[(?:-?[\d.e+-]+|null)(?:, ?(?:-?[\d.e+-]+|null)){7,}\]", text.partition("<script>")[0])
    assert rows, "there are rows of numbers"
    assert len(rows) == len(set(rows))
    words = text.rpartition('class="look-data">')[2].partition("</script>")[0]
    assert "play-" not in words, "a report has no words of the playground"
    assert "save-as" in words


@pytest.mark.parametrize("kind", REPORTS)
def test_nothing_outside_the_file_is_reached_for(kind: str, language: str) -> None:
    text = REPORTS[kind]()
    page = Page(text)
    assert page.reached == []
    assert not re.search(r"url\((?!data:)|@import", page.inline["style"])
    assert not re.search(r"fetch\(|XMLHttpRequest|WebSocket|EventSource|importScripts|eval\(", page.inline["script"])
    assert page.policy.startswith("default-src 'none'")
    for name, source in page.inline.items():
        hashed = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{hashed}'" in page.policy
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in text


def test_a_run_is_told_in_the_order_in_which_it_is_read() -> None:
    headings = Page(run_report(made.sample_run()).partition('<div class="half" lang="zh-CN"')[0]).headings
    wanted = [
        "mlp-cats", "Findings", "learning curves", "signal flow", "confusion matrix", "samples with the largest loss",
        "Recipe", "Environment",
    ]  # fmt: skip
    assert [heading for heading in headings if heading in wanted] == wanted


def test_a_study_begins_with_its_answers() -> None:
    text = study_report(made.sample_study())
    assert "<b>net.activation: sigmoid → relu</b>   accuracy +0.1000 [" in text
    assert "6 pairs: better" in text
    assert text.index("pairs: better") < text.index("effects with their intervals")
    assert "best: net.activation=relu  optim.lr=0.1" in text
    assert "All 36 trainings" in text


def test_text_never_becomes_markup() -> None:
    evil = '</script><img src=x onerror="alert(1)">'
    found = made.finding_record() | {"title": evil, "why": evil, "where": [evil], "rule": evil}
    predicted = made.class_predictions() | {"classes": [evil, "dog"]}
    text = run_report(made.sample_run(found, predicted, name=evil))
    assert "<img" not in text
    assert text.count("</script>") == text.count("<script")
    assert Page(text).reached == []


def test_a_long_run_makes_a_small_file() -> None:
    losses = [1 / step for step in range(1, 100_001)]
    record = {"kind": "steps", "first": 61, "epoch": 4, "loss": losses, "lr": 0.1, "norm": losses}
    assert len(run_report(made.sample_run(record))) < 600_000


def test_a_notebook_gets_a_frame_that_may_run_its_own_scripts_only() -> None:
    for shown in (run_html(made.sample_run()), study_html(made.sample_study())):
        assert shown.startswith("<iframe")
        assert 'sandbox="allow-scripts"' in shown


def test_a_run_that_did_nothing_yet_has_a_report_all_the_same(language: str) -> None:
    empty = made.RunInfo("empty", "stopped", made.RunHistory.of([]))
    assert "empty" in run_report(empty)


def test_findings_follow_the_reader_and_not_the_training() -> None:
    numbers = {"share": 0.5, "kind": "Sigmoid", "layer": "fc1", "count": 1}
    told = made.finding_record() | {"rule": "saturated", "evidence": numbers, "why": "mine"}
    told |= {"title": catalogue("en")["watch.title-saturated"].format(**numbers)}
    english, _, chinese = run_report(made.sample_run(told)).partition('<div class="half" lang="zh-CN"')
    again = catalogue("zh")["watch.title-saturated"].format(**numbers)
    assert told["title"] in english
    assert again in chinese
    assert again not in english
    assert told["title"] not in chinese
