"""train-test-overlap: told of evaluated samples that were trained on."""

import math
from dataclasses import replace

import pytest

from danlu.base.records import CodeLine
from danlu.watch.conduct import Unfair
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Evaluation
from danlu.watch.rules.train_test_overlap import RULE
from measurements import check_threshold, told, verdict


def declared(*, overlap: float = 0.1, numbers: int = 64) -> Measured:
    """What the two loaders hold in common."""
    measured = Measured(step=10, declared_overlap=overlap)
    measured.inputs.shape = (16, numbers)
    return measured


def evaluated(*, samples: int = 50, overlap: float = 1.0, seen: int = 100) -> Measured:
    measured = declared(overlap=0.0)
    measured.samples_seen = seen
    measured.evaluations = [Evaluation(8, 1, samples, 0.5, math.nan, training=False, overlap=overlap)]
    return measured


def beside(*, samples: int = 50, share: float = 0.9) -> Measured:
    measured = declared(overlap=0.0)
    one = Evaluation(8, 1, samples, 0.5, math.nan, training=False, overlap=0.0, neighbours=share)
    measured.evaluations = [one]
    return measured


def doubled(*, share: float = 0.2, overlap: float = 0.2, samples: int = 5000) -> Measured:
    """Held-out samples of which some were trained on, and training samples of which some are there twice."""
    measured = evaluated(overlap=overlap, samples=samples)
    measured.inputs.shape = (16, 8)
    measured.epoch_steps, measured.doubled = 4, share
    return measured


THRESHOLDS = [
    ("min_doubled_ratio", doubled, {"share": 0.06, "overlap": 0.1}, {"share": 0.08, "overlap": 0.1}),
    ("min_overlap_share", declared, {"overlap": 0.049}, {"overlap": 0.051}),
    ("min_overlap_share_narrow", declared, {"overlap": 0.19, "numbers": 4}, {"overlap": 0.21, "numbers": 4}),
    ("min_features", declared, {"numbers": 31}, {"numbers": 32}),
    ("min_samples", evaluated, {"samples": 7}, {"samples": 8}),
    ("min_samples", beside, {"samples": 7}, {"samples": 8}),
    ("min_window_share", beside, {"share": 0.29}, {"share": 0.31}),
    ("max_subset_share", evaluated, {"samples": 91}, {"samples": 89}),
]


@pytest.mark.parametrize(("name", "build", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, build: object, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, build, name, inside, beyond) is None  # type: ignore[arg-type]


def test_the_share_is_told() -> None:
    found = told(RULE, declared(overlap=0.4))
    assert (found.severity, found.since, found.numbers) == ("warning", 1, {"share": 0.4})
    assert told(RULE, evaluated(overlap=0.3)).since == 8


def test_most_of_an_evaluation_is_no_double() -> None:
    inside, beyond = {"share": 0.6, "overlap": 0.51}, {"share": 0.6, "overlap": 0.49}
    found = check_threshold(RULE, doubled, "max_doubles_share", inside, beyond)
    assert found is not None
    assert found.severity == "warning"


def test_doubles_of_the_data_themselves_are_advice() -> None:
    found = told(RULE, doubled())
    assert (found.severity, found.variant, found.numbers) == ("advice", "doubles", {"share": 0.2, "doubled": 0.2})
    assert told(RULE, doubled(share=0.01)).severity == "warning"
    assert verdict(RULE, doubled(overlap=0.02)) is None


def test_parts_that_share_nothing_are_silent() -> None:
    assert verdict(RULE, evaluated(overlap=0.0)) is None
    assert verdict(RULE, Measured(step=10)) is None


def test_windows_beside_those_of_the_training_are_told() -> None:
    found = told(RULE, beside())
    assert (found.severity, found.since, found.variant, found.numbers) == ("warning", 8, "windows", {"share": 0.9})


def test_a_data_set_of_its_own_with_the_same_samples_is_told() -> None:
    measured = evaluated(samples=100)
    assert verdict(RULE, measured) is None  # the training set's own score
    measured.evaluations = [replace(one, elsewhere=True) for one in measured.evaluations]
    assert told(RULE, measured).numbers == {"share": 1.0}


@pytest.mark.parametrize(("chance", "is_told"), [(0.0, True), (0.34, True), (0.36, False)])
def test_what_chance_explains_is_not_told(chance: float, is_told: bool) -> None:
    measured = evaluated(overlap=0.4)
    measured.chance_overlap = chance
    assert (verdict(RULE, measured) is not None) is is_told


def test_where_everything_is_met_by_chance_nothing_is_told() -> None:
    measured = evaluated()
    assert verdict(RULE, measured) is not None
    measured.chance_overlap = 0.96
    assert verdict(RULE, measured) is None


def rows(*, share: float = 0.9) -> Measured:
    measured = declared(overlap=0.0)
    measured.unfair = {"beside": Unfair(6, share=share)}
    return measured


def test_rows_beside_those_of_the_training_are_told() -> None:
    assert check_threshold(RULE, rows, "min_window_share", {"share": 0.29}, {"share": 0.31}) is None
    found = told(RULE, rows())
    assert (found.severity, found.since, found.variant, found.numbers) == ("warning", 6, "rows", {"share": 0.9})


LINE = CodeLine("train.py", 30)


def test_steps_on_test_data_are_told_with_their_line() -> None:
    found = told(RULE, Measured(step=10, code={"updates-on-test": LINE}))
    assert (found.severity, found.variant, found.line) == ("warning", "updated", LINE)


def test_training_data_scored_as_test_data_are_told_only_where_they_were_scored() -> None:
    whole = evaluated(samples=100)
    whole.code["tests-on-training"] = LINE
    assert (told(RULE, whole).variant, told(RULE, whole).line) == ("named", LINE)
    other = evaluated(samples=100, overlap=0.0)
    other.code["tests-on-training"] = LINE
    assert verdict(RULE, other) is None


def test_a_step_an_epoch_makes_no_policy_of_a_net() -> None:
    """It is scored after every step, and on samples that it was trained on."""
    measured = evaluated(overlap=0.5)
    measured.evaluations = [replace(measured.evaluations[0], step=step) for step in range(1, 11)]
    measured.epoch_steps = 1
    assert verdict(RULE, measured) is None
    measured.full_batch = True
    assert told(RULE, measured).numbers == {"share": 0.5}


def passengers(*, chance: float, overlap: float = 0.34, doubles: float = 0.54) -> Measured:
    measured = doubled(share=doubles, overlap=overlap)
    measured.chance_overlap = chance
    return measured


def test_rows_alike_in_few_columns_that_go_together_are_no_copies() -> None:
    found = check_threshold(RULE, passengers, "min_chance_share", {"chance": 0.02}, {"chance": 0.021})
    assert found is not None
    assert found.variant == "doubles"
    assert verdict(RULE, passengers(chance=0.13)) is None
    few = passengers(chance=0.13, doubles=0.2, overlap=0.4)
    assert verdict(RULE, few) is not None
    few.evaluations = [replace(one, samples=20) for one in few.evaluations]
    assert verdict(RULE, few) is None  # 8 of 20 may be as many as the 4 to be expected
    leak = passengers(chance=0.13, doubles=0.2, overlap=0.5)  # more than alike among themselves
    assert told(RULE, leak).severity == "warning"
