"""loss-mismatch: told of a loss that is not for what it is given."""

import math

import pytest

from danlu.base.records import CodeLine
from danlu.watch.conduct import Rewarded
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rules.loss_mismatch import RULE
from measurements import check_threshold, head, told, verdict


def compared(*, sum_of: float = math.nan, counts: tuple[int, ...] = ()) -> Measured:
    """A divergence whose exponentials sum to `sum_of`, or a squared error of whole numbers as often as `counts`."""
    measured = Measured(step=10, divergence_sum=sum_of)
    if counts:
        measured.labels.kind, measured.labels.counts = "numbers", dict(enumerate(counts))
        measured.heads = [head("mse", shape=(32, 1))]
    return measured


THRESHOLDS = [
    ("min_sum_error", {"sum_of": 1.09}, {"sum_of": 1.11}),
    ("max_classes", {"counts": (10,) * 21}, {"counts": (10,) * 20}),
    ("min_entropy_ratio", {"counts": (580, 210, 210)}, {"counts": (540, 230, 230)}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, object], beyond: dict[str, object]) -> None:
    assert check_threshold(RULE, compared, name, inside, beyond) is None


def test_class_numbers_under_a_squared_error_are_told_with_their_count() -> None:
    found = told(RULE, compared(counts=(50,) * 10))
    assert (found.severity, found.variant, found.numbers) == ("warning", "numbers", {"classes": 10})


def test_outputs_that_are_no_log_probabilities_are_told_with_their_sum() -> None:
    found = told(RULE, Measured(heads=[head("nll", row_sum=11.4)]))
    assert (found.severity, found.variant, found.numbers) == ("error", "nll", {"sum": 11.4})
    assert told(RULE, Measured(heads=[head("nll", row_sum=11.4, between=("Softmax",))])).variant == "probabilities"
    assert told(RULE, Measured(heads=[head("nll", row_sum=math.inf)])).variant == "nll"  # they have run away
    assert verdict(RULE, Measured(heads=[head("nll", row_sum=1.02)])) is None


def test_a_likelihood_without_its_minus_is_told_unless_the_optimizer_climbs() -> None:
    measured = Measured(step=10, heads=[head(bare=True)], optimisers=[Optimiser("SGD")])
    assert (told(RULE, measured).severity, told(RULE, measured).variant) == ("error", "likelihood")
    measured.optimisers[0].maximizes = True
    assert verdict(RULE, measured) is None


def test_probabilities_that_are_none_are_told_with_their_bounds() -> None:
    refused = Measured(step=3, refused="binary_cross_entropy", refused_low=-2.0, refused_high=4.0)
    assert (told(RULE, refused).variant, told(RULE, refused).numbers) == ("bce", {"low": -2.0, "high": 4.0})


@pytest.mark.parametrize(
    ("facts", "variant", "severity"),
    [
        ({"shape": (32, 1)}, "one-output", "error"),
        ({"negated": True}, "sign", "error"),
        ({"loss": "mse", "one_hot": True}, "one-hot", "advice"),
    ],
)
def test_the_head_alone_shows_it(facts: dict[str, object], variant: str, severity: str) -> None:
    found = told(RULE, Measured(heads=[head(**facts)], optimisers=[Optimiser("SGD")]))  # type: ignore[arg-type]
    assert (found.variant, found.severity) == (variant, severity)


def test_a_squared_error_of_quantities_is_silent() -> None:
    assert verdict(RULE, compared(counts=(3, 40, 7, 90, 2, 60))) is None


def test_a_penalty_that_is_taken_off_is_told_with_its_line() -> None:
    line = CodeLine("train.py", 30)
    found = told(RULE, Measured(step=10, code={"penalty": line}))
    assert (found.severity, found.variant, found.line) == ("error", "penalty", line)
    assert verdict(RULE, Measured(code={"penalty": line})) is None


def policy(*, passes: int = 2, entropy: int = 0, upwards: bool = False) -> Measured:
    """Measured passes that push a policy the wrong way, or, where its `entropy` is pushed down, that alone."""
    against = {bool(not entropy): passes}
    lowered = {True: entropy} if entropy else {}
    found = Rewarded(against=against, entropy_lowered=lowered)
    return Measured(step=9, rewarded=found, optimisers=[Optimiser("Adam", maximizes=upwards)])


def test_a_policy_that_is_pushed_the_wrong_way_is_told() -> None:
    assert told(RULE, policy()).variant == "policy"
    assert check_threshold(RULE, policy, "min_passes", {"passes": 1}, {"passes": 2}) is None
    assert verdict(RULE, policy(upwards=True)) is None
    assert told(RULE, policy(entropy=2)).variant == "entropy"
    assert verdict(RULE, policy(entropy=1)) is None


@pytest.mark.parametrize(
    ("kind", "variant"), [("flees", "actor"), ("derivative", "derivative"), ("turned", "divergence-sign")]
)
def test_what_the_source_shows_is_told_with_its_line(kind: str, variant: str) -> None:
    line = CodeLine("train.py", 31)
    found = told(RULE, Measured(step=3, code={kind: line}, optimisers=[Optimiser("Adam")]))
    assert (found.severity, found.variant, found.line) == ("error", variant, line)
    assert verdict(RULE, Measured(code={kind: line}, optimisers=[Optimiser("Adam")])) is None


def test_scores_that_ctc_takes_for_log_probabilities_are_told_with_their_sum() -> None:
    found = told(RULE, Measured(alignment_sum=7.5))
    assert (found.variant, found.numbers["sum"]) == ("alignment", 7.5)
    assert verdict(RULE, Measured(alignment_sum=1.0)) is None
