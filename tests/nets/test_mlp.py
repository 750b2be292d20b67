"""The multilayer perceptron: order of its layers, activations, dropout, and the nets at its edges."""

from typing import Any

import pytest
import torch
from torch import nn

from danlu.base.errors import UserError
from danlu.nets import MLP, recipe_of
from danlu.nets.blocks import ACTIVATIONS


def kinds(net: MLP) -> list[str]:
    return [type(layer).__name__ for layer in net.layers]


def test_activation_and_dropout_follow_every_hidden_layer_but_not_the_last() -> None:
    net = MLP(inputs=8, outputs=3, hidden=(6, 4), activation="tanh", dropout=0.25)
    assert kinds(net) == ["Linear", "Tanh", "Dropout", "Linear", "Tanh", "Dropout", "Linear"]
    assert [layer.p for layer in net.layers if isinstance(layer, nn.Dropout)] == [0.25, 0.25]


def test_without_dropout_there_is_no_dropout_layer() -> None:
    assert kinds(MLP()) == ["Linear", "ReLU", "Linear"]


def test_hidden_may_be_one_number_or_none_at_all() -> None:
    assert kinds(MLP(hidden=5)) == kinds(MLP(hidden=[5]))
    assert kinds(MLP(hidden=())) == ["Linear"]


@pytest.mark.parametrize("shape", [(784,), (28, 28), (1, 28, 28)])
def test_samples_of_any_shape_are_flattened(shape: tuple[int, ...]) -> None:
    assert MLP()(torch.zeros(2, *shape)).shape == (2, 10)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_lets_gradients_through(activation: str) -> None:
    net = MLP(inputs=4, outputs=2, hidden=(16,), activation=activation)
    net(torch.linspace(-1, 1, 12).reshape(3, 4)).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


def test_depth_and_width_stand_for_hidden() -> None:
    assert MLP(depth=3, width=16).hidden == (16, 16, 16)
    assert MLP(depth=2).hidden == (128, 128)
    assert MLP(width=16).hidden == (16,)
    assert recipe_of(MLP(depth=2, width=16)) == recipe_of(MLP(hidden=(16, 16)))


def test_hidden_and_depth_together_are_refused(language: str) -> None:
    with pytest.raises(UserError, match=r"net\.hidden.*depth.*width"):
        MLP(hidden=(16,), depth=2)


@pytest.mark.parametrize(("norm", "layer"), [("batch", "BatchNorm1d"), ("layer", "LayerNorm")])
def test_normalisation_stands_before_or_after_the_activation(norm: str, layer: str) -> None:
    options: dict[str, Any] = {"hidden": (6,), "norm": norm, "dropout": 0.1}
    assert kinds(MLP(**options)) == ["Linear", layer, "ReLU", "Dropout", "Linear"]
    assert kinds(MLP(norm_placement="after", **options)) == ["Linear", "ReLU", layer, "Dropout", "Linear"]


def test_residual_layers_are_projected_where_the_widths_differ() -> None:
    net = MLP(inputs=8, outputs=3, hidden=(8, 8, 4), residual=True, norm="layer")
    assert kinds(net) == ["Residual", "Residual", "Residual", "Linear"]
    assert [type(layer.shortcut) for layer in list(net.layers)[:3]] == [nn.Identity, nn.Identity, nn.Linear]
    x = torch.ones(2, 8)
    first = net.layers[0]
    torch.testing.assert_close(first(x), x + first.body(x))


@pytest.mark.parametrize("placement", ["before", "after"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("residual", [False, True])
def test_gradients_equal_finite_differences(norm: str, placement: str, residual: bool, gradients_agree: Any) -> None:
    options: dict[str, Any] = {"norm": norm, "norm_placement": placement, "residual": residual, "dropout": 0.2}
    assert gradients_agree(lambda: MLP(5, 2, hidden=(5, 4), activation="tanh", **options), 3, 5)


@pytest.mark.parametrize("inputs", [1, 13, 784])
def test_every_width_of_input_trains(inputs: int) -> None:
    net = MLP(inputs=inputs, outputs=2, hidden=(16, 8), activation="tanh", norm="batch", residual=True)
    x = torch.linspace(-1, 1, 6 * inputs).reshape(6, inputs).sin()
    net(x).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in net.parameters())


def test_first_weights_by_name() -> None:
    net = MLP(inputs=4, outputs=4, hidden=(4,), init=("constant", 0.5))
    assert [weight.unique().tolist() for weight in net.parameters()] == [[0.5], [0.0], [0.5], [0.0]]
