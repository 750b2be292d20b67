"""The multilayer perceptron: order of its layers, activations, dropout, and the nets at its edges."""

import pytest
import torch
from torch import nn

from danlu.nets import MLP
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
