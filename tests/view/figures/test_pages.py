"""Every kind of picture: what is drawn is what the journal says."""

import dataclasses
import json

import pytest

import view_samples as made
from danlu.base.strict_json import to_json
from danlu.store.records import WorstSample
from danlu.store.study_history import StudyHistory
from danlu.view.figures.chart import Cells, Chart, GuideLine, Heatmap, Line, Pictures, Points, Whiskers, Zone, plain
from danlu.view.figures.pages import compared_chart, net_scene, run_charts, study_charts
from danlu.view.figures.predictions import worst_chart
from danlu.view.figures.surface import contour_chart, surface_chart
from danlu.view.info.curves import MOST_POINTS, CurveQuery
from danlu.view.info.study import study_info
from danlu.view.info.surface import read_surface
from danlu.view.paper.draw import draw_chart


def marks(chart: Chart, kind: type) -> list[object]:
    return [mark for panel in chart.panels for mark in panel.marks if isinstance(mark, kind)]


def labelled(chart: Chart, label: str) -> Line:
    return next(mark for mark in marks(chart, Line) if isinstance(mark, Line) and mark.label == label)


@pytest.mark.parametrize("kind", made.CHARTS)
def test_every_chart_is_strict_json_with_a_title(kind: str, language: str) -> None:
    chart = made.CHARTS[kind]()
    assert chart.title
    assert chart.panels
    told = json.loads(to_json(plain(chart)), parse_constant=pytest.fail)
    assert told["kind"] == kind


def test_the_curves_are_the_journals() -> None:
    chart = made.CHARTS["curves"]()
    raw = next(mark for mark in marks(chart, Line) if isinstance(mark, Line) and mark.faint)
    assert raw.ys == pytest.approx([made.loss(step) for step in range(1, 61)])
    assert labelled(chart, "validation").ys == pytest.approx([1.2, 0.6, 0.4])
    assert [rule.at for rule in marks(chart, GuideLine) if isinstance(rule, GuideLine) and rule.label] == [20]
    ring, star = (mark for mark in marks(chart, Points) if isinstance(mark, Points) and mark.label)
    assert (star.shape, star.xs, star.ys) == ("star", [40], [0.6])
    assert (ring.shape, ring.xs, ring.ys) == ("ring", [60], pytest.approx([0.4])), "the last weights were scored"
    assert chart.notes == ["1  vanishing-gradient: the gradient fades"]


def test_a_run_that_diverged_is_shaded_from_there_on() -> None:
    broken = {"kind": "steps", "first": 61, "epoch": 4, "loss": ["NaN", "NaN"], "lr": 0.1, "norm": None}
    chart = made.chart_of_run("curves", broken)
    (zone,) = marks(chart, Zone)
    assert isinstance(zone, Zone)
    assert (zone.low, zone.high) == (61, 62)


def test_several_runs_are_laid_over_each_other_in_colours_of_their_own() -> None:
    runs = [made.sample_run(name=f"run {number}") for number in range(3)]
    chart = compared_chart(runs, CurveQuery(), banded=False)
    lines = [mark for mark in marks(chart, Line) if isinstance(mark, Line) and mark.label.startswith("run")]
    assert [line.label for line in lines] == ["run 0", "run 1", "run 2"]
    assert len({line.color for line in lines}) == 3


def test_the_flow_is_the_journals() -> None:
    cells = [mark for mark in marks(made.CHARTS["flow"](), Cells) if isinstance(mark, Cells)]
    assert len(cells) == 4
    assert cells[1].values[0] == (0.01, 0.01 / 20, 0.01 / 40)
    assert made.CHARTS["flow"]().notes == ["At the newest step the gradient of first is 0.01 times that of last."]


def test_the_surface_keeps_its_lowest_point_and_its_descent() -> None:
    (field,) = marks(made.CHARTS["surface"](), Heatmap)
    assert isinstance(field, Heatmap)
    assert field.solid
    assert (field.marked, field.path) == (((1.0, -1.0, 0.0),), made.bowl().path)
    (flat,) = marks(made.CHARTS["contour"](), Heatmap)
    assert isinstance(flat, Heatmap)
    assert not flat.solid
    assert len(flat.contours) == 12


def test_saddles_are_marked_on_both_pictures() -> None:
    saddle = dataclasses.replace(made.bowl(), saddles=((0.0, 0.0, 5.0),))
    for chart in (surface_chart(saddle), contour_chart(saddle)):
        (field,) = marks(chart, Heatmap)
        assert isinstance(field, Heatmap)
        assert (field.saddles, field.saddles_label) == (((0.0, 0.0, 5.0),), "saddle point")
        assert draw_chart(chart, ".png").startswith(b"\x89PNG")
    assert read_surface(saddle.record()) == saddle


def test_the_confusion_counts_in_its_cells() -> None:
    chart = made.CHARTS["confusion"]()
    right, wrong = (mark for mark in marks(chart, Cells) if isinstance(mark, Cells))
    assert (right.texts, wrong.texts) == ([["9", ""], ["", "7"]], [["", "1"], ["3", ""]])
    assert (right.values, wrong.values) == ([[0.9, None], [None, 0.7]], [[None, 0.1], [0.3, None]])
    assert chart.notes == ["Most frequent mistake: 3 of 10 times dog is taken for cat."]


def test_behind_a_cell_of_the_confusion_are_its_samples() -> None:
    chart = made.chart_of_run("confusion")
    cells = chart.panels[0].marks[0]
    assert isinstance(cells, Cells)
    worst = made.class_predictions()["worst"]
    names = made.class_predictions()["classes"]
    assert [*cells.places] == [(names.index(one["actual"]), names.index(one["predicted"])) for one in worst]
    assert len(cells.samples) == len(worst)
    assert chart.hint
    assert chart.hint not in chart.notes, "on paper nothing is clicked"


@pytest.mark.parametrize(("loss", "told"), [(0.02, "cat, right"), (0.6, "cat, right but unsure")])
def test_a_sample_that_is_right_and_sure_is_not_called_unsure(loss: float, told: str) -> None:
    sample = WorstSample(actual="cat", predicted="cat", loss=loss)
    (pictures,) = worst_chart([sample]).panels[0].marks
    assert isinstance(pictures, Pictures)
    assert pictures.pictures[0].title == told


def test_the_worst_samples_are_shown() -> None:
    (shown,) = marks(made.CHARTS["worst"](), Pictures)
    assert isinstance(shown, Pictures)
    assert [picture.title for picture in shown.pictures] == ["cat, not dog", "dog, not cat"]
    assert shown.pictures[0].png == made.png()


def test_the_forest_shows_each_effect_with_its_interval() -> None:
    study, chart = made.sample_study(), made.CHARTS["forest"]()
    points = [mark for mark in marks(chart, Points) if isinstance(mark, Points)]
    means = sorted(x for mark in points for x in mark.xs if x is not None)
    assert means == sorted(effect["mean"] for effect in study.effects if effect["mean"] is not None)
    whiskers = [mark for mark in marks(chart, Whiskers) if isinstance(mark, Whiskers)]
    assert sum(len(mark.at) for mark in whiskers) == sum(effect["low"] is not None for effect in study.effects) == 2


def test_the_sweep_shades_where_it_diverges() -> None:
    chart = made.CHARTS["sweep"]()
    (zone,) = marks(chart, Zone)
    assert isinstance(zone, Zone)
    assert zone.low == pytest.approx(1.0), "half the way from 0.1 to 10, on a scale of powers"
    assert labelled(chart, "mean").ys == [pytest.approx(0.72), pytest.approx(0.77), None]


def test_the_slopes_join_each_pair() -> None:
    chart = made.CHARTS["slopes"]()
    line = labelled(chart, "12 rise")
    assert len(line.ys) == 36
    assert line.ys[1] == pytest.approx((line.ys[0] or 0) + 0.1)


@pytest.mark.parametrize(
    "record",
    [
        {"kind": "surface", "xs": 3}, {"kind": "predictions", "part": "test", "samples": "x"},
        {"kind": "net", "nodes": [{}]}, {"kind": "predictions", "part": "test", "samples": 1, "confusion": [[1], [2]]},
    ],
)  # fmt: skip
def test_a_record_that_makes_no_sense_spoils_nothing_else(record: dict[str, object]) -> None:
    info = made.sample_run(record)
    kinds = [chart.kind for chart in run_charts(info, MOST_POINTS)]
    assert kinds[:2] == ["curves", "flow"]
    assert info.history.skipped == 1
    assert net_scene(info) is not None, "the one that was told before"


def test_a_study_with_nothing_done_has_no_pictures() -> None:
    assert study_charts(study_info("s", {"factors": {"optim.lr": [1, 2]}, "seeds": [0]}, StudyHistory())) == []
