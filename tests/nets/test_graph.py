"""The graph of a net is what its forward does, whatever the forward looks like."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from danlu.base.errors import UserError
from danlu.base.graphs import NetGraph
from danlu.nets import describe, example
from danlu.nets.graph import net_graph


class Branches(nn.Module):
    """Two ways that meet in a sum, and a third one round both."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.norm = nn.Linear(4, 4), nn.Linear(4, 4), nn.BatchNorm1d(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.left(x).relu() + self.right(x)) + x


class Again(nn.Module):
    """One layer, several times over."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.layer, self.times = nn.Linear(4, 4), times

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(self.times):
            x = torch.tanh(self.layer(x))
        return x


class Listed(nn.Module):
    """Layers of a list, each with its own function behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = F.relu(layer(x))
        return x


def edges_of(graph: NetGraph, id: str) -> set[str]:
    return {source for source, target in graph.edges if target == id}


def test_branches_meet_where_the_forward_joins_them() -> None:
    graph = net_graph(Branches(), (4,))
    assert edges_of(graph, "left") == edges_of(graph, "right") == {"input"}
    assert edges_of(graph, "add()") == {"relu()", "right"}
    assert edges_of(graph, "norm") == {"add()"}
    assert edges_of(graph, "add1()") == {"norm", "input"}
    assert edges_of(graph, "output") == {"add1()"}


def test_one_layer_in_a_loop_is_one_node_with_its_calls() -> None:
    graph = net_graph(Again(5), (4,))
    assert {node.id: node.calls for node in graph.nodes} == {"layer": 5, "tanh()": 5}
    assert graph.nodes[0].parameters == 20
    assert graph.nodes[0].multiply_adds == 5 * 16


def test_a_loop_over_a_list_is_drawn_turn_by_turn() -> None:
    graph = net_graph(Listed(), (4,))
    assert [node.id for node in graph.nodes] == ["layers.0", "relu()", "layers.1", "relu1()", "layers.2", "relu2()"]
    assert len(graph.edges) == 7


@pytest.mark.every(6)
@pytest.mark.parametrize("name", ["lenet5", "googlenet", "densenet121", "language-model", "autoencoder", "mlp"])
def test_totals_are_those_that_describe_tells(name: str) -> None:
    net, shape = example(name)
    graph, described = net_graph(net, shape), describe(net, shape)
    assert sum(node.parameters for node in graph.nodes) == described.parameters == graph.parameters
    assert sum(node.multiply_adds for node in graph.nodes) == described.multiply_adds
    assert graph.output_shape == described.output_shape


def test_the_net_is_left_as_it_was() -> None:
    net = Branches().train()
    net.left.weight.requires_grad_(False)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    net_graph(net, (4,))
    assert torch.equal(torch.rand(1), expected), "no number was drawn"
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(vars(module)["_forward_hooks"] or vars(module)["_forward_pre_hooks"] for module in net.modules())
    assert net.right.weight.grad is None


def test_several_inputs_and_outputs_are_followed() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.head = nn.LSTM(4, 3, batch_first=True), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            every, (last, _) = self.cell(x)
            return self.head(every[:, -1] + last[-1])

    graph = net_graph(Two(), (5, 4))
    assert edges_of(graph, "add()") == {"cell"}
    assert edges_of(graph, "head") == {"add()"}


def test_a_shape_that_does_not_fit_is_told_as_describe_tells_it(language: str) -> None:
    with pytest.raises(UserError, match="left"):
        net_graph(Branches(), (5,))
