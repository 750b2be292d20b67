"""The report over several: its order, its places, both languages in one file, and what made each number."""

import re
import shlex
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

import view_samples as made
from danlu.base.errors import UserError
from danlu.view.outline import outline
from danlu.view.page.prose import prose_places
from danlu.view.provenance import run_provenance, study_provenance
from danlu.view.report_items import ReportItem, numbers_of, pictures_of
from danlu.view.reported import reported
from hostile import PAYLOADS, hostile_run, hostile_study

DESIGN: dict[str, Any] = {
    "factors": {"net.activation": ["sigmoid", "relu"], "optim.lr": [0.01, 0.1, 10.0]}, "seeds": [0, 1, 2], "folds": 2,
    "metric": "accuracy", "margin": 0.01, "recipe": {"net": {"name": "mlp"}, "train": {"epochs": 3, "seed": 0}},
}  # fmt: skip


def run(number: int = 1, name: str = "first", **more: Any) -> ReportItem:
    info = more.get("info") or made.sample_run(name=name)
    return ReportItem(number, name, info, lambda: run_provenance(info))


def study(number: int = 2, name: str = "rates", **more: Any) -> ReportItem:
    info = more.get("info") or made.sample_study()
    return ReportItem(number, name, info, lambda: study_provenance(info, DESIGN, {}))


class Outline(HTMLParser):
    """Headings of each half, buttons with what they open, and the ids there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: dict[str, list[str]] = {"": []}
        self.opens: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.hidden: list[str] = []
        self._half, self._open = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if values.get("class") == "half":
            self._half = values["lang"] or ""
            self.headings[self._half] = []
            self.hidden += [self._half] if "hidden" in values else []
        if "popovertarget" in values:
            self._open = values["popovertarget"] or ""
        elif tag in ("h1", "h2", "h3"):
            self._open = tag
        if "id" in values:
            self.ids.append(values["id"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in ("h1", "h2", "h3"):
            self.headings[self._half].append(data)
        elif self._open:
            self.opens.append((self._open, data))


def test_without_prose_the_order_is_question_effect_scores_curves_findings(language: str) -> None:
    page = Outline(reported([study(1), run(2), run(3, "second")]))
    first, other = ("zh-CN", "en") if language == "zh" else ("en", "zh-CN")
    assert page.hidden == [other]
    wanted = {
        "en": ["Question", "Effect", "Scores", "Learning curves", "Findings", "How these numbers were made"],
        "zh-CN": ["问题", "效应", "结果", "学习曲线", "诊断结果", "这些数是怎样得到的"],
    }
    for half in (first, other):
        assert page.headings[half][0] == "rates, first, second"
        assert [heading for heading in page.headings[half] if heading in wanted[half]] == wanted[half]


def test_every_number_opens_what_made_it() -> None:
    text = reported([study(1), run(2)])
    page = Outline(text)
    assert {place for place, _ in page.opens} <= set(page.ids)
    assert ("made-en-2", "0.8000") in page.opens
    assert any(place == "made-en-1" and "+0.1000" in words for place, words in page.opens)
    assert "danlu fit runs/cats/recipe.toml" in text
    assert (
        "danlu compare --vary net.activation=sigmoid,relu --vary optim.lr=0.01,0.1,10.0 --seeds 3 --folds 2 "
        "--metric accuracy --margin 0.01 net.name=mlp train.epochs=3"
    ) in text
    assert len(page.ids) == len(set(page.ids))


def test_prose_is_in_both_halves_and_its_places_are_filled(language: str) -> None:
    notes = (
        "# Mine\n\nIt is [accuracy](first), or [test accuracy](first); [optim.lr](rates).\n\n![curves](first,second)\n"
    )
    page = Outline(reported([run(1), run(2, "second"), study(3)], notes, "notes.md"))
    assert [headings[0] for half, headings in page.headings.items() if half] == ["Mine", "Mine"]
    for half in ("en", "zh"):
        assert [words for place, words in page.opens if place == f"made-{half}-1"][:2] == ["0.8000", "0.8000"]
        assert any(place == f"made-{half}-3" for place, _ in page.opens)


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("notes", "phrase", "line", "words"),
    [
        ("\n![curves](third)", "report.unknown-item", 2, ["third", "first", "rates"]),
        ("![curves](firsd)", "report.unknown-item", 1, ['"first"']),
        ("![curvs](first)", "report.unknown-picture", 1, ["curves", "confusion", "findings", "scores"]),
        ("![forest](first)", "report.unknown-picture", 1, ["curves"]),
        ("![confusion](first,second)", "report.unknown-picture", 1, ["curves", "scores"]),
        ("![curves](first,rates)", "report.unknown-picture", 1, ["first,rates"]),
        ("a\nb [bleu](first)", "report.unknown-number", 2, ["accuracy", "test loss"]),
        ("[x](other.md)", "report.unknown-item", 1, ["other.md"]),
        ("![photo](photo.png)", "report.unknown-item", 1, ["photo.png"]),
        ("[accuracy](first,second)", "report.unknown-item", 1, ["first,second"]),
        ("[x](#top)", "report.unknown-item", 1, ["#top"]),
    ],
)
def test_what_is_not_there_is_told_with_what_is(
    notes: str, phrase: str, line: int, words: list[str], language: str
) -> None:
    with pytest.raises(UserError, match="notes.md") as caught:
        reported([run(1), run(2, "second"), study(3)], notes, "notes.md")
    (fault,) = caught.value.faults
    assert (fault.id, fault.values["line"]) == (phrase, line)
    assert all(word in str(fault) for word in words), str(fault)


def test_all_faults_are_told_together() -> None:
    with pytest.raises(UserError, match="third") as caught:
        reported([run(1)], "![curves](third)\n\n![curvs](first) [nothing](first)", "notes.md")
    assert [fault.values["line"] for fault in caught.value.faults] == [1, 3, 3]


MAKERS: dict[str, Callable[[str], ReportItem]] = {
    "run": lambda text: run(name=text, info=hostile_run(text)),
    "study": lambda text: study(name=text, info=hostile_study(text)),
}


@pytest.mark.every(4)
@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("kind", MAKERS)
def test_a_name_never_becomes_markup(payload: str, kind: str) -> None:
    """Also where the outline, which is Markdown, names it."""

    def elements(text: str) -> list[str]:
        found = re.findall(
            r"<(/?[a-zA-Z!][\w-]*)", re.sub(r"<style>.*?</style>|<script[ >].*?</script>", "", page(text))
        )
        return sorted(found)

    def page(text: str) -> str:
        return reported([MAKERS[kind](text)]).replace("\n", " ")

    assert elements(payload) == elements("harmless")


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "name", ["a b", "a(b)", "a>b", "训练", "a,b", "50%", "a\\b", "&amp;", "*a*", "[x](y)", "![x](y)"]
)
def test_the_outline_names_what_is_there_whatever_it_is_called(name: str) -> None:
    for item in (run(name=name), study(name=name)):
        places = prose_places(outline([item]))
        assert places
        assert {place.of for place in places} == {name}
    page = Outline(reported([run(1, name), run(2, "other")]))
    assert page.headings["en"][0] == f"{name}, other"


def test_what_there_is_to_name() -> None:
    charts = {"curves", "flow", "surface", "contour", "confusion", "calibration", "worst"}
    assert set(pictures_of(run())) == charts | {"scores", "findings", "net", "recipe"}
    drawn = {"forest", "means", "sweep", "slopes", "folds", "curves"}
    assert set(pictures_of(study())) == drawn | {"answers", "combinations", "members", "recipe"}
    assert numbers_of(run()) == {
        "loss": "0.5000",
        "accuracy": "0.8000",
        "test loss": "0.5000",
        "test accuracy": "0.8000",
    }
    assert set(numbers_of(study())) == {"net.activation", "optim.lr", "validation loss", "validation accuracy"}


def test_a_text_that_looks_like_a_number_stays_a_text_in_the_command() -> None:
    design = {**DESIGN, "recipe": {"data": {"name": "iris", "target": "12"}}}
    words = shlex.split(study_provenance(made.sample_study(), design, {}).command)
    assert 'data.target="12"' in words and "data.name=iris" in words


def test_levels_that_cannot_be_typed_are_given_in_python() -> None:
    design = {
        "recipe": {"net": {"name": "mlp"}, "data": {"name": "digits"}, "train": {"epochs": 3, "seed": 0}},
        "factors": {"train.clip_norm": [None, 5.0]}, "seeds": [0, 1, 2], "folds": 2,
    }  # fmt: skip
    assert study_provenance(made.sample_study(), design, {}).command == (
        "danlu.compare(recipe={'net': {'name': 'mlp'}, 'data': {'name': 'digits'}, 'train': {'epochs': 3}}, "
        "vary={'train.clip_norm': [None, 5.0]}, seeds=3, folds=2)"
    )
