"""The poster: every kind of task on a sheet of A4, nothing cut, no words over each other, every sign in a font."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

import view_samples as made
from danlu.store.run_history import RunHistory
from danlu.view.drawing import Drawing
from danlu.view.info.run import RunInfo
from danlu.view.overview import Overview, overview
from danlu.view.paper.fonts import DOTS_PER_INCH, Fonts
from danlu.view.paper.lines import Lettered
from danlu.view.paper.marks import Bitmap, Dots, Mark, Rectangle, Stroke, Words
from danlu.view.paper.overview import laid_out

ODD = ["$x^{", "a$b$", "猫", "🐱", "\u202edog", "\U00012000", "", "a\nb"]
LONG = "a-very-long-name-of-a-class-that-nobody-would-choose-and-somebody-has"


def finding(number: int) -> dict[str, Any]:
    rule = f"rule-{number}"
    return {**made.finding_record(), "rule": rule, "since": number, "title": f"{rule} " + "says a great deal " * 20}


def many_classes(names: list[str]) -> dict[str, Any]:
    counts = [[9 if row == column else (row * column) % 3 for column in range(len(names))] for row in range(len(names))]
    samples = [{**made.class_predictions()["worst"][0], "predicted": name, "actual": names[0]} for name in names[:12]]
    return {**made.class_predictions(), "classes": names, "confusion": counts, "worst": samples}


def forecast(names: tuple[str, ...]) -> dict[str, Any]:
    times, values = [f"2020-01-{day:02}" for day in range(1, 29)], [float(day % 7) for day in range(28)]
    naive = {"last-value": values[1:] + values[:1]}
    lines = [
        {"name": name, "times": times, "actual": values, "predicted": values[::-1], "naive": naive} for name in names
    ]
    return {"kind": "forecast", "part": "test", "lines": lines}


def text(epoch: int, words: str) -> dict[str, Any]:
    return {"kind": "text", "epoch": epoch, "step": epoch * made.EPOCH, "prompt": "the time ", "text": words}


def ended(**score: float) -> dict[str, Any]:
    return {"kind": "end", "seconds": 3.0, "score": {"test": {"loss": 0.5, **score}}}


def mask_predictions() -> dict[str, Any]:
    return {key: value for key, value in made.class_predictions().items() if key != "calibration"}


def of(*more: dict[str, Any], name: str = "mlp-cats") -> RunInfo:
    """A run without the answers of `view_samples`, and with `more` records in their place."""
    own = [one for one in made.run_records() if one["kind"] not in ("predictions", "surface", "finding", "end")]
    history = RunHistory.of([*own, *more, *([] if any(one["kind"] == "end" for one in more) else [ended()])])
    return RunInfo(name, "finished", history, "", made.flat(made.SETTINGS), {}, "runs/cats")


RUNS = {
    "classification": made.sample_run,
    "regression": lambda: of(made.number_predictions()),
    "several labels": lambda: of(ended(f1=0.5, **{"f1.cat": 0.25, "f1.dog": 0.75})),
    "segmentation": lambda: of(mask_predictions(), ended(miou=0.5)),
    "text": lambda: of(text(1, "aaaa"), text(3, "traveller " * 40)),
    "translation": lambda: of(ended(bleu=0.3, exact_match=0.1, token_accuracy=0.7)),
    "series": lambda: of(forecast(("a", "b")), made.number_predictions()),
    "reconstruction": of,
    "nothing yet": lambda: RunInfo("empty", "stopped", RunHistory.of([])),
    "hundred classes": lambda: of(many_classes([f"class {number}" for number in range(100)])),
    "long names": lambda: of(many_classes([f"{LONG}-{number}" for number in range(12)]), name=LONG * 3),
    "odd signs": lambda: of(many_classes(ODD), name="$\\$ 猫"),
    "many findings": lambda: of(*(finding(number) for number in range(1, 20)), made.class_predictions()),
    "many metrics": lambda: of(ended(**{f"m{number}": 0.5 for number in range(12)})),
}  # fmt: skip


@dataclass(frozen=True)
class Extent:
    """Where something stands, in dots of a printed page."""

    x0: float
    y0: float
    x1: float
    y1: float

    @classmethod
    def of(cls, mark: Mark, fonts: Fonts) -> "Extent":
        match mark:
            case Words():
                wide, high = fonts.width(mark.text, mark.size, bold=mark.bold), mark.size / 72
                start = -wide * {"left": 0.0, "center": 0.5, "right": 1.0}[mark.align]
                across, up = (start, start + wide), (-0.93 * high, 0.24 * high)
                places = [(mark.x + x, mark.y + y) for x in across for y in up]
                if mark.upright:
                    places = [(mark.x + y, mark.y - x) for x in across for y in up]
            case Rectangle() | Bitmap():
                places = [mark.region[:2], mark.region[2:]]
            case Stroke():
                places = [place for piece in mark.pieces for place in piece]
            case Dots():
                places = mark.places
        left, top, right, bottom = getattr(mark, "within", None) or (0.0, 0.0, 99.0, 99.0)
        xs, ys = [min(max(x, left), right) for x, _ in places], [min(max(y, top), bottom) for _, y in places]
        return cls(*(DOTS_PER_INCH * one for one in (min(xs), min(ys), max(xs), max(ys))))


def boxes(sheet: Lettered) -> list[tuple[str, Extent]]:
    """What is written on the sheet itself, with where it stands."""
    words = [one for one in sheet.page.marks if isinstance(one, Words) and one.text.strip()]
    return [(one.text, Extent.of(one, sheet.fonts)) for one in words]


def whole_panel(marks: Sequence[Mark], fonts: Fonts) -> Extent:
    """Where a panel stands with all that is written beside it."""
    places = [Extent.of(mark, fonts) for mark in marks if not (isinstance(mark, Stroke | Dots) and not points_of(mark))]
    low, high = [(one.x0, one.y0) for one in places], [(one.x1, one.y1) for one in places]
    return Extent(
        min(x for x, _ in low), min(y for _, y in low), max(x for x, _ in high), max(y for _, y in high)
    )  # fmt: skip


def points_of(mark: Stroke | Dots) -> list[tuple[float, float]]:
    return list(mark.places) if isinstance(mark, Dots) else [place for piece in mark.pieces for place in piece]


@pytest.mark.every(12)
@pytest.mark.parametrize("kind", RUNS)
def test_nothing_is_cut_and_no_words_stand_over_each_other(kind: str, language: str) -> None:
    sheet = laid_out(overview(RUNS[kind]()))
    whole = Extent(0, 0, sheet.page.width * DOTS_PER_INCH, sheet.page.height * DOTS_PER_INCH)
    written = boxes(sheet)
    beside = [whole_panel(marks, sheet.fonts) for marks in sheet.page.panels]
    for words, place in [*written, *(("axes", one) for one in beside)]:
        assert whole.x0 <= place.x0 and place.x1 <= whole.x1 and whole.y0 <= place.y0 and place.y1 <= whole.y1, words
    for panel in [sheet.page.marks, *sheet.page.panels]:
        names = [
            (one.text, Extent.of(one, sheet.fonts)) for one in panel if isinstance(one, Words) and one.text.strip()
        ]
        for at, (words, place) in enumerate(names):
            for other, there in names[at + 1 :]:
                wide = min(place.x1, there.x1) - max(place.x0, there.x0)
                high = min(place.y1, there.y1) - max(place.y0, there.y0)
                assert wide <= 1 or high <= 4, (words, other)
    for at, place in enumerate(beside):
        for there in beside[at + 1 :]:
            wide = min(place.x1, there.x1) - max(place.x0, there.x0)
            high = min(place.y1, there.y1) - max(place.y0, there.y0)
            assert wide <= 4 or high <= 4, (kind, at)


@pytest.mark.every(3)
@pytest.mark.parametrize("kind", ["classification", "odd signs", "nothing yet"])
def test_a_poster_is_a_picture_of_a4_and_the_same_every_time(kind: str) -> None:
    info = RUNS[kind]()
    content = Drawing(lambda: overview(info)).file_content(".png")
    with Image.open(io.BytesIO(content)) as image:
        assert image.size == (1240, 1753)
    assert content == Drawing(lambda: overview(info)).file_content(".png")
    assert Drawing(lambda: overview(info)).file_content(".pdf").startswith(b"%PDF")


def told(kind: str) -> Overview:
    return overview(RUNS[kind]())


def test_each_task_shows_what_it_recorded() -> None:
    titles = {kind: [one.title for one in told(kind).answers] for kind in RUNS}
    assert titles["classification"] == ["confusion matrix", "calibration"]
    assert titles["segmentation"] == ["confusion matrix"]
    assert titles["regression"] == ["residuals"]
    assert titles["several labels"] == ["score of each target"]
    assert titles["series"] == ["forecasts of the test part, 1 step ahead", "residuals"]
    assert titles["reconstruction"] == titles["translation"] == titles["text"] == []
    assert [when for when, _ in told("text").texts] == ["After epoch 1:", "After epoch 3:"]
    assert [tile.name for tile in told("translation").tiles] == ["BLEU", "exact match", "token_accuracy", "loss"]


def test_scores_are_those_of_the_test_part_with_the_others_beside() -> None:
    info = overview(made.sample_run())
    assert (info.part, [(tile.name, tile.value) for tile in info.tiles]) == (
        "test",
        [("accuracy", "0.8000"), ("loss", "0.5000")],
    )
    assert [row.shape for row in info.layers] == ["3", "2"]
    assert [(one.number, one.severity) for one in info.findings] == [(1, "error")]
    assert len(told("many metrics").tiles) == 5
    assert told("many metrics").tiles[-1].name == "loss"


def test_a_learning_rate_that_never_changes_takes_no_room() -> None:
    steady = [{**one, "lr": 0.1} if one["kind"] == "steps" else one for one in made.run_records()]
    names = [[panel.y.label for panel in overview(run).curves] for run in (made.sample_run(), steady_run(steady))]
    assert names == [["loss", "accuracy", "gradient norm", "learning rate"], ["loss", "accuracy", "gradient norm"]]
    assert overview(steady_run(steady)).curves[-1].x.label == "step"


def steady_run(records: list[dict[str, Any]]) -> RunInfo:
    return RunInfo("steady", "finished", RunHistory.of(records))
