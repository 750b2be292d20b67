"""What needs no picture is told in a sentence; what needs one is drawn."""

from dataclasses import replace
from typing import Any

import pytest

import view_samples as made
from danlu.store.run_history import RunHistory
from danlu.view.figures.banded import banded_chart
from danlu.view.figures.chart import Band, Cells, Chart, GuideLine, Line
from danlu.view.figures.curves import curves_chart
from danlu.view.figures.flow import flow_chart
from danlu.view.figures.pages import compared_chart
from danlu.view.figures.scales import color_range
from danlu.view.info.curves import Curves, curves
from danlu.view.info.flow import Flow
from danlu.view.info.groups import groups_of
from danlu.view.info.run import RunInfo


def run(lr: object = 0.1, settings: dict[str, Any] | None = None, name: str = "a", **scores: list[float]) -> RunInfo:
    """A run of three epochs with these scores on the validation part."""
    epochs = [
        {
            "kind": "epoch", "epoch": n + 1, "step": 10 * (n + 1), "train": {"loss": 1.0}, "best": True, "seconds": 1.0,
            "validation": {"loss": 1.0 / (n + 1)} | {metric: values[n] for metric, values in scores.items()},
        }
        for n in range(3)
    ]  # fmt: skip
    block = {"kind": "steps", "first": 1, "epoch": 1, "loss": [1.0] * 30, "lr": lr, "norm": [0.5] * 30}
    return RunInfo(name, "finished", RunHistory.of([block, *epochs]), settings=settings or {})


def headings(chart: Chart) -> list[str]:
    return [panel.y.label for panel in chart.panels]


def test_a_learning_rate_that_never_changes_is_a_sentence() -> None:
    chart = compared_chart([run()])
    assert headings(chart) == ["loss", "gradient norm"]
    assert chart.notes == ["Learning rate: 0.1 throughout."]
    assert chart.panels[-1].x.label == "step", "the last panel says what the axis is"
    changing = compared_chart([run([0.1] * 15 + [0.01] * 15)])
    assert headings(changing)[-1] == "learning rate"
    assert changing.notes == []


def test_rates_of_several_runs_stand_in_one_sentence() -> None:
    chart = compared_chart([run(0.1), run(0.5, name="b")], banded=False)
    assert chart.notes == ["Learning rates, constant: a 0.1, b 0.5."]
    assert compared_chart([run(0.1), run(0.1, name="b")], banded=False).notes == ["Learning rate: 0.1 throughout."]


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (0.7, "F1 is the same as accuracy here, and is not drawn."),
        (0.7 + 1e-12, "F1 is the same as accuracy here, and is not drawn."),
        (0.701, "F1 is never further than 0.001 from accuracy here, and is not drawn."),
        (0.69003, "F1 is never further than 0.01 from accuracy here, and is not drawn."),
        (0.72, ""),
    ],
)
def test_a_metric_that_is_another_or_follows_it_closely_is_a_sentence(last: float, told: str) -> None:
    chart = compared_chart([run(accuracy=[0.5, 0.6, 0.7], f1=[0.5, 0.6, last])])
    assert ("F1" in headings(chart)) == (not told)
    assert [note for note in chart.notes if "F1" in note] == ([told] if told else [])
    numbers = compared_chart([run(mae=[0.5, 0.6, 0.7], rmse=[0.5, 0.6, 0.701])])
    assert len(headings(numbers)) == 4, "numbers of a unit of their own are no shares"


def test_where_gradients_are_clipped_is_drawn_over_their_norm() -> None:
    def lines(info: RunInfo) -> list[GuideLine]:
        return [mark for mark in compared_chart([info]).panels[1].marks if isinstance(mark, GuideLine)]

    (line,) = lines(run(settings={"train.clip_norm": 5.0}))
    assert (line.at, line.axis, line.label) == (5.0, "y", "clipped at 5")
    assert lines(run()) == []


def test_units_of_which_none_is_dead_look_healthy() -> None:
    assert color_range([[0.0, 0.0]], ramp="share", log=False) == (0.0, 1.0)
    assert color_range([[0.01, 0.02]], ramp="share", log=False) == (0.0, 1.0)


def test_the_columns_of_the_signal_flow_lie_at_their_steps() -> None:
    chart = flow_chart(Flow(("a",), (1, 2, 100), {"spread": ((1.0, 1.0, 1.0),), "gradient": ((1.0, 2.0, 3.0),)}))
    for panel in chart.panels:
        (cells,) = panel.marks
        assert isinstance(cells, Cells)
        assert (tuple(cells.xs), tuple(panel.x.ticks)) == ((1, 2, 100), ())
        assert panel.shares_x == "step"
    assert [panel.x.label for panel in chart.panels] == ["", "step"]


def repeated(count: int, rate: float = 0.1, folds: int = 1) -> list[RunInfo]:
    return [
        run(
            rate,
            {"optim.lr": rate, "train.seed": seed, "data.fold": [seed % folds, folds] if folds > 1 else None},
            f"r{rate}-{seed}",
            accuracy=[0.9, 0.95, 0.99 + 0.005 * (seed % 3)],
        )
        for seed in range(count)
    ]


def test_runs_that_differ_in_seed_only_are_a_line_in_a_band_within_what_can_be() -> None:
    infos = [*repeated(4), *repeated(4, 0.5)]
    chart = compared_chart(infos)
    lines = [mark for mark in chart.panels[0].marks if isinstance(mark, Line)]
    assert [line.label for line in lines] == ["lr 0.1  n = 4", "lr 0.5  n = 4"]
    assert all(len(line.singles) == 4 for line in lines)
    bands = [mark for mark in chart.panels[-1].marks if isinstance(mark, Band)]
    highs = [value for band in bands for value in band.highs if value is not None]
    assert max(highs) == 1.0, "Student's interval around 0.995 goes beyond it"
    assert headings(chart) == ["training loss", "validation · loss", "validation · accuracy"]


def test_two_runs_are_two_lines_unless_bands_are_asked_for() -> None:
    infos = repeated(2)
    assert not [mark for panel in compared_chart(infos).panels for mark in panel.marks if isinstance(mark, Band)]
    assert [mark for mark in compared_chart(infos, banded=True).panels[0].marks if isinstance(mark, Band)]


def test_folds_make_an_interval_wider() -> None:
    def width(infos: list[RunInfo]) -> float:
        drawn = curves({info.name: info.drawn for info in infos})
        (band,) = (mark for mark in banded_chart(drawn, groups_of(infos)).panels[2].marks if isinstance(mark, Band))
        return (band.highs[0] or 0) - (band.lows[0] or 0)

    infos = [replace(info, history=run(accuracy=[0.4 + 0.01 * at] * 3).history) for at, info in enumerate(repeated(6))]
    folded = [replace(info, settings={**info.settings, "data.fold": [at % 3, 3]}) for at, info in enumerate(infos)]
    assert width(folded) == pytest.approx(width(infos) * (1 + 6 / 2) ** 0.5)


def test_an_empty_run_is_drawn_too() -> None:
    for infos in (
        [made.sample_run()],
        [RunInfo("none", "running", RunHistory())],
        [RunInfo("a", "", RunHistory())] * 3,
    ):
        assert compared_chart(infos).panels
    assert curves_chart(Curves(())).panels
