"""targets-unrelated: told of noise that is asked for and was not put in."""

import math
from typing import Any

import pytest

from danlu.base.records import CodeLine
from danlu.watch.conduct import Unrelated
from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Evaluation
from danlu.watch.rules.targets_unrelated import RULE
from measurements import check_threshold, told, training, verdict


def drawn(
    *, steps: int = 100, numbers: int = 10_000, correlation: float = 0.0, mean: float = 0.0, loss: float = 1.0
) -> Measured:
    measured = Measured(step=steps, unrelated=Unrelated(steps, numbers, correlation, mean, 1.0))
    for _ in range(steps):
        measured.loss.add(loss)
    return measured


THRESHOLDS = [
    ("min_steps", {"steps": 99}, {"steps": 100}),
    ("min_numbers", {"numbers": 999}, {"numbers": 1_000}),
    ("max_errors", {"correlation": 0.041}, {"correlation": 0.039}),
    ("max_errors", {"mean": -0.041}, {"mean": 0.039}),
    ("min_loss_ratio", {"loss": 0.94}, {"loss": 0.96}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert check_threshold(RULE, drawn, name, inside, beyond) is None


def test_the_numbers_are_told() -> None:
    found = told(RULE, drawn(correlation=0.01))
    assert (found.severity, found.numbers) == ("error", {"correlation": 0.01, "loss": 1.0, "spread": 1.0})


def test_targets_of_another_shape_are_silent() -> None:
    measured = drawn()
    measured.unrelated = Unrelated()
    assert verdict(RULE, measured) is None


def test_noise_that_the_source_draws_apart_is_told_with_its_line() -> None:
    measured = drawn(correlation=0.5, loss=0.5)
    assert verdict(RULE, measured) is None
    measured.code["noise"] = line = CodeLine("train.py", 12)
    assert (told(RULE, measured).variant, told(RULE, measured).line) == ("drawn", line)


def mixed_up(
    *, relation: float = 0.5, pairs: int = 400, steps: int = 200, held_out: float = 1.0, loss: float = 1.0,
    passes: int = 4, ended: bool = True, update: float = 0.01,
) -> Measured:  # fmt: skip
    """Ten classes; losses in shares of what guessing gives."""
    guess = math.log(10)
    measured = training(lambda step: loss * guess, steps, update=update)
    measured.ended, measured.unrelated = ended, Unrelated(pairs=pairs, relation=relation)
    measured.labels = LabelFacts("classes", 10, dict.fromkeys(range(10), 100), seen=1000)
    measured.evaluations += [
        Evaluation(50 * n, 1, 100, (held_out + 0.1 * n) * guess, math.nan, False, 0.0) for n in range(passes)
    ]
    return measured


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [
        ("min_pairs", {"pairs": 199}, {"pairs": 200}),
        ("max_relation", {"relation": 2.6}, {"relation": 2.4}),
        ("min_update_ratio", {"update": 9e-4}, {"update": 1.1e-3}),
        ("min_held_out_ratio", {"held_out": 0.96}, {"held_out": 0.98}),
        ("min_loss_ratio_by_heart", {"loss": 0.89, "passes": 0}, {"loss": 0.91, "passes": 0}),
        ("min_steps", {"steps": 99}, {"steps": 100}),
    ],
)
def test_each_threshold_of_samples_decides(name: str, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert check_threshold(RULE, mixed_up, name, inside, beyond) is None


def test_samples_learnt_by_heart_of_which_nothing_carries_over_are_told() -> None:
    found = told(RULE, mixed_up(loss=0.2))
    assert (found.severity, found.variant, found.numbers["loss"]) == ("warning", "held-out", math.log(10))
    assert told(RULE, mixed_up(passes=0)).variant == "samples"
    assert verdict(RULE, mixed_up(relation=math.nan)) is None
    assert verdict(RULE, mixed_up(ended=False)) is None


def by_heart(*, new: float = 1.0, epoch: int = 20, steps: int = 200) -> Measured:
    """A first epoch at `new` times guessing, and half of that at the end; nothing was held out."""
    measured = mixed_up(passes=0)
    made = training(lambda step: math.log(10) * (new if step <= epoch else 0.5), steps, update=0.01)
    measured.loss, measured.epoch_steps = made.loss, epoch
    return measured


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [
        ("min_epoch_steps", {"epoch": 7}, {"epoch": 8}),
        ("min_epochs", {"epoch": 41}, {"epoch": 40}),
        ("min_held_out_ratio", {"new": 0.95}, {"new": 0.99}),
    ],
)
def test_samples_learnt_by_heart_are_known_from_the_first_epoch(
    name: str, inside: dict[str, Any], beyond: dict[str, Any]
) -> None:
    assert check_threshold(RULE, by_heart, name, inside, beyond) is None
    assert told(RULE, by_heart()).variant == "by-heart"
