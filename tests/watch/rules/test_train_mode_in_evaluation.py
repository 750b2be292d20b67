"""train-mode-in-evaluation: told of scores taken with dropout at work or statistics moving."""

import math
from typing import Any

import pytest

from danlu.watch.conduct import Averaged
from danlu.watch.layer_facts import Net
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.pass_facts import Evaluation, Intervention
from danlu.watch.rules.train_mode_in_evaluation import RULE
from measurements import check_threshold, told, verdict


def evaluated(*, steps: int = 10, passes: int = 2, training: bool = True) -> Measured:
    measured = Measured(step=steps)
    measured.net.dropout, measured.net.norms = {"2": 0.5}, ("1",)
    measured.evaluations = [
        Evaluation(step, 1, 100, 0.5, math.nan, training=training, overlap=0.0) for step in range(1, passes + 1)
    ]
    return measured


THRESHOLDS = [
    ("min_steps", {"steps": 2, "passes": 1}, {"steps": 3, "passes": 1}),
    ("max_evaluations_per_step", {"passes": 6}, {"passes": 5}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, int], beyond: dict[str, int]) -> None:
    assert check_threshold(RULE, evaluated, name, inside, beyond) is None


def test_the_passes_are_told_with_the_layers_that_mind() -> None:
    found = told(RULE, evaluated())
    assert (found.severity, found.since, found.where) == ("warning", 1, ("2", "1"))
    assert found.numbers == {"passes": 2, "dropout": 1, "norms": 1}


def test_evaluation_mode_is_silent_and_a_second_pass_in_it_excuses_the_first() -> None:
    assert verdict(RULE, evaluated(training=False)) is None
    measured = evaluated()
    measured.evaluations += evaluated(training=False).evaluations
    assert verdict(RULE, measured) is None


@pytest.mark.parametrize(("dropped", "step", "found"), [(6, 60, True), (0, 60, False), (600, 60, False), (6, 2, False)])
def test_dropout_that_knows_no_mode(dropped: int, step: int, found: bool) -> None:
    net = Net(plain_dropout=0.4)
    measured = Measured(step=step, net=net, dropped_evaluations=dropped, optimisers=[Optimiser("Adam", steps=step)])
    answer = verdict(RULE, measured)
    assert (answer is not None and answer.variant == "functional") == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, True), ({"masks": False}, False), ({"reconstructs": True}, False), ({"training": True}, False),
        ({"passes": 40}, False), ({"steps": 2}, False),
    ],
)  # fmt: skip
def test_masks_that_know_no_mode(given: dict[str, Any], found: bool) -> None:
    steps, masks = given.get("steps", 60), given.get("masks", True)
    measured = evaluated(steps=steps, passes=given.get("passes", 2), training=given.get("training", False))
    measured.net = Net()
    measured.optimisers = [Optimiser("Adam", steps=steps)]
    trial = Intervention("", 2, masks=masks, reconstructs=given.get("reconstructs", False))
    measured.interventions = {"": trial}
    answer = verdict(RULE, measured)
    assert (answer is not None and answer.variant == "drawn") == found


@pytest.mark.parametrize(("calls", "training", "found"), [(4, 4, True), (4, 0, False), (40, 40, False)])
def test_a_copy_that_is_evaluated_as_if_it_were_trained(calls: int, training: int, found: bool) -> None:
    """One that is called in most steps is the teacher of a student."""
    copied = Averaged(50, calls=calls, training=training)
    measured = Measured(step=60, averaged=copied, optimisers=[Optimiser("Adam", steps=60)])
    answer = verdict(RULE, measured)
    assert (answer is not None and answer.variant == "averaged") == found


@pytest.mark.parametrize(("averages", "passes", "found"), [(True, 2, True), (False, 2, False), (True, 0, False)])
def test_statistics_that_move_in_evaluation_mode(averages: bool, passes: int, found: bool) -> None:
    measured = evaluated(steps=60, passes=passes, training=False)
    measured.net, measured.optimisers = Net(), [Optimiser("Adam", steps=60)]
    measured.interventions = {"": Intervention("", 2, averages=(("1", "moving_mean"),) if averages else ())}
    answer = verdict(RULE, measured)
    assert (answer is not None and answer.variant == "statistics" and answer.where == ("1",)) == found
