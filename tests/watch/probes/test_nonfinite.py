"""The first number that is none: in the input, a weight, an activation, or the loss alone."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from danlu.watch.probes.graph import Graph, Names
from danlu.watch.probes.layers import layers_of
from danlu.watch.probes.nonfinite import first_nonfinite


class Net(nn.Module):
    """Two layers; what the first gives is multiplied by `factor` before the second."""

    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.first, self.second, self.factor = nn.Linear(2, 3), nn.Linear(3, 1), factor
        for parameter in self.parameters():
            nn.init.constant_(parameter, 0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.relu(self.first(x)) * self.factor)


def origin(net: nn.Module, loss: torch.Tensor | None, inputs: torch.Tensor | None) -> tuple[str, str, Any]:
    owners = layers_of({"": net})[2]
    graph = Graph.of(loss.grad_fn) if loss is not None else None
    return first_nonfinite(graph, Names(owners), list(net.parameters()), inputs)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_an_input_that_is_none_comes_first(bad: float) -> None:
    net, x = Net(factor=math.inf), torch.tensor([[1.0, bad]])
    where, what, given = origin(net, net(x).sum(), x)
    assert (where, what) == ("", "input")
    assert given is x


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_weight_is_told_with_its_layer(bad: float) -> None:
    net, x = Net(), torch.ones(4, 2)
    with torch.no_grad():
        net.second.weight[0, 1] = bad
    assert origin(net, net(x).sum(), x) == ("second", "weight", None)
    assert origin(net, None, x) == ("second", "weight", None)  # without a graph as well


def test_an_activation_is_told_with_the_layer_that_gave_it() -> None:
    net, x = Net(factor=math.inf), torch.ones(4, 2)
    assert origin(net, net(x).sum(), x) == ("first", "activation", None)


def test_a_result_too_large_for_its_type_is_an_activation() -> None:
    net, x = Net(), torch.full((4, 2), 3e38)
    with torch.no_grad():
        net.first.weight.fill_(2.0)
    assert origin(net, net(x).sum(), x)[:2] == ("first", "activation")


def test_where_all_else_is_finite_it_is_the_loss() -> None:
    net, x = Net(), torch.ones(4, 2)
    loss = torch.log(net(x).sum() * 0)
    assert origin(net, loss, x) == ("Log", "loss", None)
    assert origin(net, None, x) == ("", "loss", None)


def test_an_input_that_nobody_has_kept_is_read_from_the_graph() -> None:
    net, x = Net(), torch.tensor([[1.0, math.nan]])
    where, what, given = origin(net, net(x).sum(), None)
    assert (where, what) == ("", "input")
    assert given is not None
    assert given.isnan().tolist() == [[False, True]]


@pytest.mark.parametrize(
    "inputs",
    [
        torch.tensor([[1, 2]]),
        torch.tensor([[True, False]]),
        torch.empty(0, 2),
        torch.tensor([[1.0, math.nan]]).to_sparse(),
        torch.zeros(1, 2, device="meta"),
        torch.full((4,), 3e38),  # only their sum is not finite
        None,
    ],
)
def test_inputs_that_are_finite_or_cannot_be_read_are_passed_over(inputs: torch.Tensor | None) -> None:
    assert origin(Net(), None, inputs) == ("", "loss", None)


def test_a_scalar_weight_and_an_empty_one_are_read() -> None:
    net = nn.Module()
    net.empty, net.scale = nn.Parameter(torch.empty(0)), nn.Parameter(torch.tensor(math.nan))
    assert origin(nn.Sequential(net), None, None) == ("0", "weight", None)
