"""Activations: every one that has a name agrees with its formula's slope, and what is none is told apart."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.lab.functions.activation import ACTIVATIONS, activation_curve, activation_named, is_activation
from danlu.view.info.activation import FLAT, flat_zones


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_slope_is_that_of_the_values(name: str) -> None:
    curve = activation_curve(ACTIVATIONS[name](), name)
    x, y, slope = (torch.tensor(numbers, dtype=torch.float64) for numbers in (curve.xs, curve.values, curve.slopes))
    between = (y[2:] - y[:-2]) / (x[2:] - x[:-2])
    # At a kink or a jump the difference over both sides is none: there it may be off, and nowhere else.
    assert int(((between - slope[1:-1]).abs() > 1e-3).sum()) <= 4
    assert torch.allclose(y, ACTIVATIONS[name]()(x))


def sigmoid_reach(limit: float) -> float:
    """Where the slope s (1 - s) of the sigmoid s falls to `limit`."""
    s = (1 + math.sqrt(1 - 4 * limit)) / 2
    return math.log(s / (1 - s))


def test_the_sigmoid_is_flat_from_where_its_formula_says() -> None:
    curve = activation_curve(nn.Sigmoid(), "sigmoid")
    (low, before), (after, high) = flat_zones(curve.xs, curve.slopes)
    assert (low, high) == (-6, 6)
    assert -before == after == pytest.approx(sigmoid_reach(FLAT), abs=0.01)
    assert curve.steepest == (0.0, 0.25)


class Square(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * x


class Reversed(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flip(-1)


class MeanOut(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x - x.mean()


@pytest.mark.parametrize(
    ("module", "one"),
    [
        (nn.Sigmoid(), True), (nn.LeakyReLU(0.3), True), (nn.RReLU(), True), (Square(), True),
        (nn.Threshold(0.1, 20), True),
        (nn.Softmax(-1), False), (nn.PReLU(), False), (nn.Dropout(), False), (nn.Flatten(), False), (nn.GLU(), False),
        (nn.Linear(4, 4), False), (Reversed(), False), (MeanOut(), False), (nn.Sequential(nn.Tanh()), False),
        (nn.BatchNorm1d(4, affine=False), False), (nn.MaxPool1d(2), False), (nn.Bilinear(2, 2, 1), False),
    ],
)  # fmt: skip
def test_what_is_one(module: nn.Module, one: bool) -> None:
    before, state = copy.deepcopy(module.__dict__), torch.get_rng_state()
    assert is_activation(module) == one
    assert module.training == before["training"]
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("word", ["Sigmoid", "leaky_relu", "LeakyReLU", "SiLU", "ELU", "log-sigmoid"])
def test_names_as_people_spell_them(word: str) -> None:
    assert activation_named(word)


@pytest.mark.every(2)
def test_it_is_drawn_by_name_class_and_module(language: str) -> None:
    for what in ("sigmoid", "GELU", nn.Tanh, nn.Sigmoid(), Square()):
        svg = danlu.draw(what).file_content(".svg").decode()
        assert ("导数" if language == "zh" else "slope") in svg
    with_data: Any = danlu.draw(nn.Sigmoid(), (4,))
    assert "Sigmoid" in with_data.file_content(".svg").decode(), "with data it is a net, as before"


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ("sigmiod", None, 'Did you mean "sigmoid"'),
        ("leaky-rleu", None, 'Did you mean "leaky-relu"'),
        ("resnte18", None, 'Did you mean "resnet18"'),
        ("sigmoid", "flow", "one picture"),
        ("sigmoid", "variance", "for nets"),
        (nn.Softmax(-1), None, "shape of one sample"),
    ],
)
def test_a_mistake_is_told_with_what_is_nearest(what: Any, kind: str | None, words: str) -> None:
    with pytest.raises(danlu.UserError, match=words):
        danlu.draw(what, kind=kind)
