"""First weights: each has the spread of its paper, goes where it was sent, and comes from the caller's seed alone."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from danlu.base.errors import UserError
from danlu.base.seeds import global_seed
from danlu.nets import MLP, ResNet18, SequenceClassifier, initialise, recipe_of
from danlu.nets.initialisers import INITIALISERS

WIDE_IN, WIDE_OUT = 400, 300


def weight(init: Any, scale: float | None = None, layer: nn.Module | None = None) -> torch.Tensor:
    layer = layer or nn.Linear(WIDE_IN, WIDE_OUT)
    with global_seed(0, "test"):
        initialise(layer, init, scale=scale)
    return layer.weight.detach()


@pytest.mark.parametrize(
    ("init", "deviation"),
    [
        ("normal", 0.01),
        ("xavier-uniform", math.sqrt(2 / (WIDE_IN + WIDE_OUT))),
        ("xavier-normal", math.sqrt(2 / (WIDE_IN + WIDE_OUT))),
        ("kaiming-uniform", math.sqrt(2 / WIDE_IN)),
        ("kaiming-normal", math.sqrt(2 / WIDE_IN)),
        ("orthogonal", math.sqrt(1 / WIDE_IN)),
    ],
)
def test_spread_is_that_of_the_paper(init: str, deviation: float) -> None:
    assert weight(init).std().item() == pytest.approx(deviation, rel=0.02)
    twice = 2 * (0.01 if init == "normal" else 1)
    assert weight(init, scale=twice).std().item() == pytest.approx(2 * deviation, rel=0.02)


@pytest.mark.parametrize("init", ["xavier-uniform", "kaiming-uniform"])
def test_uniform_weights_end_at_root_three_deviations(init: str) -> None:
    found = weight(init)
    assert found.abs().max().item() == pytest.approx(math.sqrt(3) * found.std().item(), rel=0.02)


def test_orthogonal_rows() -> None:
    found = weight("orthogonal")
    torch.testing.assert_close(found @ found.T, torch.eye(WIDE_OUT), atol=1e-4, rtol=0)


def test_convolutions_count_the_kernel() -> None:
    found = weight("kaiming-normal", layer=nn.Conv2d(64, 64, 3))
    assert found.std().item() == pytest.approx(math.sqrt(2 / (64 * 9)), rel=0.02)


def test_constant_and_biases() -> None:
    layer = nn.Linear(3, 2)
    assert weight("constant", scale=0.25, layer=layer).unique().tolist() == [0.25]
    assert not layer.bias.any()


def test_each_gate_is_drawn_on_its_own_and_keeps_its_bias() -> None:
    layer = nn.LSTM(5, 20)
    before = layer.bias_ih_l0.clone()
    initialise(layer, "orthogonal")
    for gate in layer.weight_hh_l0.chunk(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(20), atol=1e-5, rtol=0)
    assert torch.equal(layer.bias_ih_l0, before)


def test_layer_types_are_told_apart_and_others_left_alone() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 3), nn.Embedding(4, 2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    initialise(net, {"Linear": ("constant", 1), "Embedding": "constant"})
    after = net.state_dict()
    assert {name for name in before if not torch.equal(before[name], after[name])} == {"3.weight", "3.bias", "4.weight"}


def test_layers_of_ones_own_are_named_by_their_class() -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2, 2))

    class Special(nn.Linear):
        pass

    net = nn.Sequential(Scaled(), Special(2, 2), nn.Linear(2, 2))
    initialise(net, {"Scaled": ("constant", 1), "Special": ("constant", 2), "Linear": ("constant", 3)})
    assert [layer.weight.unique().tolist() for layer in net] == [[1], [2], [3]]


@pytest.mark.parametrize("init", INITIALISERS)
def test_same_seed_same_weights(init: str) -> None:
    assert torch.equal(weight(init), weight(init))


def test_all_unknown_names_are_told_at_once_with_the_nearest(language: str) -> None:
    wrong = {"Linaer": "normal", "Conv2d": "kaiming-nromal", "Linear": ["normal", "much"]}
    with pytest.raises(
        UserError, match=r"(?s)net\.init\.Linaer.*\"Linear\".*Conv2d.*\"kaiming-normal\".*much"
    ) as caught:
        initialise(nn.Linear(2, 2), wrong)
    assert len(caught.value.faults) == 3
    with pytest.raises(UserError, match=r"net\.init.*'xavier'.*\"xavier-normal\"|\"xavier-uniform\""):
        MLP(init="xavier")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Kaiming_Normal", "kaiming-normal"),
        (("normal", 0.02), ["normal", 0.02]),
        ({"Linear": "orthogonal", "Conv2d": ["normal", "0.5"]}, {"Linear": "orthogonal", "Conv2d": ["normal", 0.5]}),
        ({}, {}),
    ],
)
def test_the_option_is_kept_as_a_recipe_writes_it(given: Any, kept: Any) -> None:
    net = MLP(init=given)
    assert net.init == kept
    recipe = recipe_of(net)
    assert recipe is not None
    assert recipe[1]["init"] == kept


def test_nets_take_it_for_all_their_layers() -> None:
    net = ResNet18(classes=2, init={"Conv2d": "constant"})
    assert not net.conv1.weight.any()
    assert net.fc.weight.any()
    sequences = SequenceClassifier(vocabulary=5, classes=2, hidden=4, init="constant")
    assert not sequences.recurrent.weight_hh_l0.any()
    assert sequences.recurrent.bias_ih_l0.any()
