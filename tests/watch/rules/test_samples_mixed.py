"""samples-mixed: told where one sample moves the answers to others."""

import math

import pytest

from danlu.watch.layer_facts import Net
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.pass_facts import Intervention
from danlu.watch.rules.samples_mixed import RULE
from measurements import check_threshold, told, verdict


def tried(
    *, others: float = 0.5, sequential: bool = False, batch_second: bool = False, over_samples: bool = False
) -> Measured:
    trial = Intervention("net", 2, others=others, sequential=sequential, batch_second=batch_second)
    return Measured(interventions={"net": trial}, net=Net(over_samples=over_samples))


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [
        ("min_moved_share", {"others": 0.09}, {"others": 0.11}),
        (
            "min_moved_share_sequences",
            {"others": 0.0049, "sequential": True},
            {"others": 0.0051, "sequential": True},
        ),
        (
            "min_moved_share_normalised",
            {"others": 9e-6, "over_samples": True},
            {"others": 1.1e-5, "over_samples": True},
        ),
    ],
)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, tried, name, inside, beyond) is None


def test_what_moves_others_is_told() -> None:
    found = told(RULE, tried())
    assert (found.severity, found.variant, found.where) == ("error", "", ("net",))
    assert found.remedies == ("transpose-not-view", "batch-first")


def test_layers_that_take_the_batch_for_time_are_told_as_that() -> None:
    found = told(RULE, tried(sequential=True, batch_second=True))
    assert (found.variant, found.remedies) == ("time", ("batch-first",))


def test_answers_that_are_those_of_other_samples_are_told_without_a_share() -> None:
    found = told(RULE, tried(others=math.inf, sequential=True))
    assert (found.variant, found.numbers) == ("others", {})
    assert told(RULE, tried(others=math.inf, batch_second=True)).remedies[0] == "batch-first"


def test_such_layers_over_parts_of_pictures_are_told_too() -> None:
    assert told(RULE, tried(others=0.03, batch_second=True)).variant == "time"
    assert verdict(RULE, tried(others=0.03)) is None


def test_samples_that_move_nothing_else_are_silent() -> None:
    assert verdict(RULE, tried(others=0.0, batch_second=True)) is None
    assert verdict(RULE, tried(others=math.nan)) is None


def test_a_softmax_over_the_samples_says_that_little_is_meant_too() -> None:
    measured = tried(others=0.01)
    assert verdict(RULE, measured) is None
    measured.net.over_samples = True
    assert told(RULE, measured).severity == "error"


def test_rows_of_a_table_have_no_reason_to_meet_in_one_net() -> None:
    measured = tried(others=0.02)
    assert verdict(RULE, measured) is None
    measured.inputs.shape, measured.optimisers = (32, 30), [Optimiser("SGD")]
    assert told(RULE, measured).variant == ""
    measured.optimisers = [Optimiser("Adam"), Optimiser("Adam")]
    assert verdict(RULE, measured) is None


def test_a_layer_that_reads_the_batch_as_time_is_named() -> None:
    measured = tried(others=math.nan)
    measured.interventions["net"].laid = "net.encoder"
    found = told(RULE, measured)
    assert (found.variant, found.where) == ("laid", ("net.encoder",))
