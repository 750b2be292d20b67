"""The graph of a loss: its operations, what they kept, the layers they belong to, what is linear and what is narrow."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.watch.probes.graph import (
    ACTIVATIONS,
    Graph,
    Names,
    bottlenecks,
    following,
    linear_pairs,
    operation,
    own_parameters,
    passes_on,
    saved,
    shape,
)
from danlu.watch.probes.layers import layers_of

Tensor = torch.Tensor
LEAF = torch.ones(2, 3, requires_grad=True)


def graph_of(net: nn.Module, *size: int) -> tuple[Graph, Names]:
    output = net(torch.ones(size))
    output = output[0] if isinstance(output, tuple) else output
    return Graph.of(output.sum().grad_fn), Names(layers_of({"": net})[2])


@pytest.mark.parametrize(
    ("result", "name"),
    [
        (LEAF.relu(), "Relu"),
        (LEAF @ LEAF.t(), "Mm"),
        (F.linear(LEAF, LEAF), "Mm"),
        (F.linear(LEAF, LEAF, LEAF[:, 0]), "Addmm"),
        (F.conv1d(LEAF[None], LEAF.t()[None, :2, :]), "Convolution"),
        (F.log_softmax(LEAF, 1), "LogSoftmax"),
        (LEAF.view(6), "View"),
        (LEAF**2, "Pow"),
        (F.dropout(LEAF, 0.5, training=True), "Mul"),
    ],
)
def test_an_operation_goes_by_its_name_alone(result: Tensor, name: str) -> None:
    found = operation(result.grad_fn)
    assert found in {name, "NativeDropout"} if name == "Mul" else found == name


def test_a_leaf_only_gathers_gradients_and_has_nothing_under_it() -> None:
    (under,) = following(LEAF.relu().grad_fn)
    assert operation(under) == "AccumulateGrad"
    assert list(following(under)) == []
    assert list(following((LEAF + torch.ones(3)).grad_fn)) == [under]  # what needs no gradient is left out


@pytest.mark.parametrize(
    ("result", "size"),
    [
        (LEAF.relu(), (2, 3)),
        (LEAF.sum(), ()),
        (LEAF[:0].exp(), (0, 3)),
        (LEAF[0, 0].exp(), ()),
        (LEAF[None] * 2, (1, 2, 3)),
    ],
)
def test_the_shape_is_that_of_the_result(result: Tensor, size: tuple[int, ...]) -> None:
    assert shape(result.grad_fn) == size


def test_what_has_no_shape_has_none() -> None:
    assert shape(object()) == ()


def test_a_kept_tensor_is_read_detached() -> None:
    result = LEAF.sigmoid()
    kept = saved(result.grad_fn, "_saved_result")
    assert kept is not None
    assert torch.equal(kept, result)
    assert not kept.requires_grad


def test_what_was_not_kept_is_freed_or_cannot_be_read_is_nothing() -> None:
    result = LEAF.sigmoid()
    assert saved(result.grad_fn, "_saved_other") is None
    assert saved((LEAF**2).grad_fn, "_saved_exponent") is None  # a number
    result.sum().backward()
    assert saved(result.grad_fn, "_saved_result") is None
    changed = LEAF.sigmoid()
    node = changed.grad_fn
    changed.add_(1.0)
    assert saved(node, "_saved_result") is None
    assert saved(torch.ones(2, device="meta", requires_grad=True).sigmoid().grad_fn, "_saved_result") is None
    LEAF.grad = None


@pytest.mark.parametrize("kind", ["Relu", "Sigmoid", "Tanh"])
def test_a_bounded_activation_keeps_its_result(kind: str) -> None:
    result = getattr(torch, kind.lower())(LEAF)
    kept = saved(result.grad_fn, ACTIVATIONS[kind][0])
    assert kept is not None
    assert torch.equal(kept, result)


def test_nodes_stand_in_the_order_of_the_forward_pass() -> None:
    one, two = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    first = one.exp()
    graph = Graph.of((first.sin() * first + two).sum().grad_fn)
    assert [operation(node) for node in graph.nodes] == ["Exp", "Sin", "Mul", "Add", "Sum"]
    assert {id(leaf) for leaf in graph.leaves} == {id(one), id(two)}
    assert [operation(user) for user in graph.consumers[graph.nodes[0]]] in (["Mul", "Sin"], ["Sin", "Mul"])
    assert operation(graph.root) == "Sum"


def test_a_leaf_that_is_used_twice_stands_once() -> None:
    assert len(Graph.of((LEAF * LEAF + LEAF).sum().grad_fn).leaves) == 1


def test_layers_are_named_by_their_parameters() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=False))
    graph, names = graph_of(net, 2, 3)
    owned = [(operation(node), names.own(node)) for node in graph.nodes if names.own(node)]
    assert [(kind, name) for kind, name in owned if kind in ("Addmm", "Mm")] == [("Addmm", "0"), ("Mm", "2")]
    relu = next(node for node in graph.nodes if operation(node) == "Relu")
    assert (names.own(relu), names.before(relu), names.before(graph.root)) == (None, "0", "2")
    assert (names.of(net[0].weight), names.knows(net[0].weight), names.of(LEAF), names.knows(LEAF)) == (
        "0", True, "", False,
    )  # fmt: skip


def test_before_the_first_layer_there_is_none() -> None:
    names = Names({})
    assert names.before(LEAF.relu().exp().grad_fn) is None


BETWEEN: list[tuple[Callable[[], nn.Module], bool]] = [
    (nn.Identity, True),
    (lambda: nn.Dropout(0.5), True),
    (nn.Flatten, True),
    (lambda: nn.BatchNorm1d(2), True),
    (nn.ReLU, False),
    (nn.GELU, False),
    (nn.Sigmoid, False),
    (nn.LeakyReLU, False),
    (nn.PReLU, False),
    (lambda: nn.Softmax(1), False),
    (lambda: nn.LayerNorm(2), False),
]


@pytest.mark.parametrize(("between", "linear"), BETWEEN)
def test_two_layers_are_a_pair_where_nothing_bends_between_them(between: Callable[[], nn.Module], linear: bool) -> None:
    net = nn.Sequential(nn.Linear(2, 2), between(), nn.Linear(2, 2))
    pairs, layers, bends = linear_pairs(*graph_of(net, 3, 2))
    assert (pairs, layers, bends) == ([("0", "2")] if linear else [], ["0", "2"], not linear)


def test_a_pool_joins_a_pair_and_bends_nothing() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.MaxPool2d(2), nn.Conv2d(1, 1, 1), nn.AvgPool2d(1), nn.Conv2d(1, 1, 1))
    pairs, _, bends = linear_pairs(*graph_of(net, 2, 1, 4, 4))
    assert (pairs, bends) == ([("0", "2"), ("2", "4")], False)


@pytest.mark.parametrize("between", [nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Upsample(scale_factor=2)])
def test_a_pool_in_a_net_with_activations_is_meant_to_be_there(between: nn.Module) -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 1), between, nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 1))
    pairs, _, bends = linear_pairs(*graph_of(net, 2, 1, 4, 4))
    assert (pairs, bends) == ([], True)


class Residual(nn.Module):
    """What the first layer gives goes two ways."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return x + self.second(x)


def test_a_result_that_goes_two_ways_makes_no_pair() -> None:
    pairs, layers, _ = linear_pairs(*graph_of(Residual(), 3, 2))
    assert (pairs, layers) == ([], ["first", "second"])


def test_a_layer_called_twice_is_one_and_no_pair_with_itself() -> None:
    layer = nn.Linear(2, 2)
    pairs, layers, bends = linear_pairs(*graph_of(nn.Sequential(layer, layer), 3, 2))
    assert (pairs, layers, bends) == ([], ["0"], False)


def test_an_activation_at_the_end_alone_bends_nothing_under_it() -> None:
    _, _, bends = linear_pairs(*graph_of(nn.Sequential(nn.Linear(2, 2), nn.Sigmoid()), 3, 2))
    assert not bends
    assert linear_pairs(*graph_of(nn.Sequential(nn.BatchNorm1d(2)), 3, 2)) == ([], [], False)


@pytest.mark.parametrize(
    ("result", "linear"),
    [
        (lambda x: x * 2, True),
        (lambda x: x + torch.ones(3), True),
        (lambda x: -x, True),
        (lambda x: x / torch.tensor(2.0), True),
        (lambda x: x * x.exp(), False),
        (lambda x: x**2, False),
        (lambda x: x.abs(), False),
        (lambda x: x.mean(1), True),
        (lambda x: x.transpose(0, 1), True),
        (lambda x: x.reshape(6), True),
    ],
)
def test_what_is_linear_in_its_one_input_passes_on(result: Callable[[Tensor], Tensor], linear: bool) -> None:
    assert passes_on(result(LEAF).grad_fn) is linear


class Beside(nn.Module):
    """A narrow layer, and a way around it."""

    def __init__(self, *, around: bool) -> None:
        super().__init__()
        self.into, self.narrow, self.out = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(1, 4)
        self.around = around

    def forward(self, x: Tensor) -> Tensor:
        x = self.into(x)
        return self.out(self.narrow(x)) + (x if self.around else 0)


@pytest.mark.parametrize(("around", "found"), [(False, ["narrow"]), (True, [])])
def test_a_bottleneck_is_a_layer_that_everything_goes_through(around: bool, found: list[str]) -> None:
    graph, names = graph_of(Beside(around=around), 2, 4)
    assert bottlenecks(graph, names, ["narrow"]) == found
    assert bottlenecks(graph, names, []) == []
    assert bottlenecks(graph, names, ["elsewhere"]) == []


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_memory_is_read_as_a_layer(kind: Any) -> None:
    graph, names = graph_of(kind(2, 3, batch_first=True), 2, 4, 2)
    assert any(names.own(node) == kind.__name__ for node in graph.nodes)


def test_the_parameters_of_a_loss_itself() -> None:
    net, weight, bias = nn.Linear(4, 2), nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(100))
    loss = (weight.exp() * net(torch.ones(3, 4)).square().mean(0) + weight).sum() + bias.sum()
    assert [id(one) for one in own_parameters(loss.grad_fn)] == [id(weight)]
