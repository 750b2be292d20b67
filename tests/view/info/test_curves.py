"""The curves of a run are the numbers of its journal."""

import math
from dataclasses import replace

import pytest

import view_samples as made
from danlu.store.run_history import RunHistory
from danlu.view.info.curves import CurveQuery, CurveSource, curves
from danlu.view.info.kernel import kernel_smooth


def test_every_number_is_the_journals() -> None:
    (run,) = curves({"a": made.sample_run().drawn}).runs
    assert run.loss.steps == tuple(range(1, 61))
    assert run.loss.values == pytest.approx([made.loss(step) for step in range(1, 61)])
    assert run.norm.values == pytest.approx([1 / step for step in range(1, 61)])
    assert run.validation["loss"].steps == (20, 40, 60), "what the resume did over counts once"
    assert run.validation["accuracy"].values == pytest.approx([0.6, 0.8, 1 - 0.4 / 3])
    assert run.train["loss"].values == pytest.approx([1, 1 / 2, 1 / 3])
    assert (run.best, run.diverged, run.last) == (40, None, 60)
    assert [(event.step, event.rule) for event in run.events] == [(20, "vanishing-gradient")]


def test_the_rate_is_kept_by_its_corners() -> None:
    (run,) = curves({"a": made.sample_run().drawn}).runs
    assert list(zip(run.lr.steps, run.lr.values, strict=True)) == [(1, 0.1), (40, 0.1), (41, 0.01), (60, 0.01)]


def test_the_smoothed_curve_is_as_wide_as_the_recipe_says_or_as_is_wanted() -> None:
    losses = [made.loss(step) for step in range(1, 61)]
    drawn = made.sample_run().drawn
    assert drawn.sigma == pytest.approx(0.8**0.5 / 0.2), "that of exponential smoothing with a share of 0.2"
    for wanted, sigma in ((None, drawn.sigma), (CurveQuery(sigma=2.0), 2.0), (CurveQuery(sigma=0.0), 0.0)):
        (run,) = curves({"a": drawn}, wanted).runs
        assert run.smoothed.values == pytest.approx(kernel_smooth(losses, sigma)[1])


@pytest.mark.parametrize(
    ("settings", "best"),
    [({}, False), ({"train.weights": "best"}, True), ({"train.weights": "last"}, False), ({"train.patience": 3}, True)],
)
def test_the_scored_epoch_is_the_best_or_the_last(settings: dict[str, object], best: bool) -> None:
    info = replace(made.sample_run(), settings=settings)
    (run,) = curves({"a": info.drawn}).runs
    assert (run.best, run.scored) == (40, 40 if best else 60)


@pytest.mark.parametrize("share", ["x", None, 0, -1, float("nan"), float("inf"), 7])
def test_a_recipe_that_makes_no_sense_is_smoothed_as_usual(share: object) -> None:
    assert math.isfinite(replace(made.sample_run(), settings={"train.smoothing": share}).drawn.sigma)


def test_a_run_that_diverged_says_since_when() -> None:
    record = {"kind": "steps", "first": 1, "epoch": 1, "loss": [1.0, "NaN", "Infinity"], "lr": 0.1, "norm": None}
    (run,) = curves({"a": CurveSource(RunHistory.of([record]))}).runs
    assert run.diverged == 2
    assert run.loss.values == (1.0, None, None)
    assert len(run.norm) == 0


def test_a_run_without_a_step_has_empty_curves() -> None:
    (run,) = curves({"a": CurveSource(RunHistory.of([]))}).runs
    assert (len(run.loss), run.best, run.last) == (0, None, 0)


def test_scores_are_named_in_the_order_in_which_people_look() -> None:
    epoch = made.epoch_record(1) | {"validation": {"zeta": 1.0, "accuracy": 0.5, "loss": 1.0, "alpha": 2.0}}
    assert curves({"a": CurveSource(RunHistory.of([epoch]))}).metrics == ("accuracy", "alpha", "zeta")


def test_long_runs_are_made_short_and_keep_the_spike() -> None:
    losses = [1.0] * 50_000
    losses[31_337] = 9.0
    record = {"kind": "steps", "first": 1, "epoch": 1, "loss": losses, "lr": 0.1, "norm": None}
    (run,) = curves({"a": CurveSource(RunHistory.of([record]))}, CurveQuery(most=800)).runs
    assert len(run.loss) <= 800
    assert (31_338, 9.0) in zip(run.loss.steps, run.loss.values, strict=True)
