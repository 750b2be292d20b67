"""vanishing-gradient: told of gradients that fade gradually towards the first layers."""

import pytest

from danlu.watch.layer_facts import Activation
from danlu.watch.measured import Measured
from danlu.watch.rules.vanishing_gradient import RULE
from measurements import check_threshold, layer, told, verdict


def fading(
    *, first: float = 1e-4, second: float = 0.01, top: float = 1.0, layers: int = 3, measurements: int = 4
) -> Measured:
    """Gradients of the first two layers as shares of `top`, that of all others."""
    measured = Measured(step=40)
    shares = [first, second, *[1.0] * (layers - 2)] if layers > 2 else [first, 1.0]
    for number, share in enumerate(shares):
        measured.layers[str(number)] = layer(str(number), gradient=share * top, steps=measurements)
    return measured


THRESHOLDS = [
    ("max_gradient_ratio", {"first": 1.1e-3}, {"first": 0.9e-3}),
    ("max_next_gradient_ratio", {"second": 0.11}, {"second": 0.09}),
    ("min_layers", {"layers": 2}, {"layers": 3}),
    ("min_measurements", {"measurements": 3}, {"measurements": 4}),
    ("min_gradient_norm", {"top": 0.9e-7}, {"top": 1.1e-7}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, fading, name, inside, beyond) is None


def test_both_ends_and_their_ratio_are_told() -> None:
    found = told(RULE, fading(top=0.5, layers=5))
    assert (found.severity, found.since, found.where) == ("error", 1, ("0",))
    assert (found.numbers["first"], found.numbers["last"]) == (pytest.approx(5e-5), 0.5)
    assert (found.numbers["ratio"], found.numbers["layers"]) == (pytest.approx(1e-4), 5)


@pytest.mark.parametrize("kind", ["sigmoid", "tanh"])
def test_what_squashes_is_named_and_relu_proposed(kind: str) -> None:
    measured = fading()
    measured.activations["0"] = Activation("0", kind, last=False)
    found = told(RULE, measured)
    assert (found.variant, found.remedies[0]) == (kind, {"net.activation": "relu"})


def test_a_gradient_of_exactly_0_has_other_causes() -> None:
    measured = fading()
    measured.layers["0"].gradient_zero.values[-1] = 1.0
    assert verdict(RULE, measured) is None


def test_it_must_last() -> None:
    measured = fading(measurements=8)
    measured.layers["0"].gradient.values[-2] = 0.5
    assert verdict(RULE, measured) is None
