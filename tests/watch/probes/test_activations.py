"""Activations: shares of saturated, zero and dead units, read from the graph of a loss."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.watch.layer_facts import Activation, Layer
from danlu.watch.measured import Measured
from danlu.watch.probes.activations import ActivationProbe
from danlu.watch.probes.graph import Graph, Names
from danlu.watch.probes.layers import layers_of

Tensor = torch.Tensor


class Watched:
    """A net, and the probe of its activations; `given` goes through an activation after the layer named."""

    def __init__(self, *layers: nn.Module, recurrent: set[str] | None = None) -> None:
        self.net = nn.Sequential(*layers)
        _, records, owners = layers_of({"": self.net})
        self.measured = Measured(layers=records)
        self.probe = ActivationProbe(self.measured, Names(owners), recurrent or set())

    def see(self, result: Tensor, step: int = 1, *, last: Tensor | None = None) -> None:
        graph = Graph.of(result.sum().grad_fn)
        self.probe.see(graph, {last.grad_fn} if last is not None else set(), step)

    @property
    def only(self) -> Activation:
        (facts,) = self.measured.activations.values()
        return facts


def identity(size: int) -> nn.Linear:
    """A layer that gives what it is given, so that what the activation sees is known."""
    layer = nn.Linear(size, size, bias=False)
    nn.init.eye_(layer.weight)
    return layer


def conv(channels: int, make: Callable[..., nn.Module], kernel: int = 1) -> nn.Module:
    layer = make(channels, channels, kernel, bias=False)
    nn.init.dirac_(layer.weight)  # type: ignore
    return layer


@pytest.mark.parametrize(
    ("function", "given", "saturated", "zero"),
    [
        (torch.relu, [[1.0, -1.0], [-2.0, 0.0]], 0.0, 0.75),
        (torch.relu, [[1.0, 2.0], [3.0, 4.0]], 0.0, 0.0),
        (torch.relu, [[math.nan, -1.0], [1.0, 1.0]], 0.0, 0.25),
        (torch.sigmoid, [[0.0, 3.4], [-3.6, 99.0]], 0.5, 0.0),  # 3 % of its range from a bound is at ±3.476
        (torch.tanh, [[0.0, 1.7], [-1.8, 99.0]], 0.5, 0.0),  # and here at ±1.738
        (torch.tanh, [[0.0, 0.1], [0.2, 0.3]], 0.0, 0.0),
    ],
)
def test_the_shares_of_an_activation_are_those_of_its_results(
    function: Callable[[Tensor], Tensor], given: list[list[float]], saturated: float, zero: float
) -> None:
    watched = Watched(identity(2))
    # What is none spreads through a product; an added vector keeps its place.
    x = torch.tensor(given)
    watched.see(function(watched.net(torch.zeros(2, 2)) + x), 4)
    facts = watched.only
    assert (facts.name, facts.kind, facts.last) == ("0", function.__name__, function is not torch.relu)
    assert (facts.saturated.steps, facts.saturated.values) == ([4], [saturated])
    assert (facts.zero.steps, facts.zero.values) == ([4], [zero])


def test_a_module_and_a_plain_call_are_seen_alike() -> None:
    for function in (nn.ReLU(), nn.ReLU(inplace=True), torch.relu, nn.functional.relu, Tensor.relu):
        watched = Watched(identity(2))
        watched.see(function(watched.net(torch.tensor([[1.0, -1.0]]))))
        assert watched.only.zero.values == [0.5]


def test_what_stands_between_net_and_loss_is_last() -> None:
    watched = Watched(identity(2))
    answer = torch.sigmoid(watched.net(torch.ones(1, 2)))
    watched.see(answer, last=answer)
    assert watched.only.last


def test_what_no_layer_stands_behind_is_last_however_it_is_weighed() -> None:
    watched = Watched(identity(2))
    watched.see((torch.rand(3, 1, requires_grad=True) * torch.sigmoid(watched.net(torch.ones(3, 2)))).sum(0))
    assert watched.only.last
    hidden = Watched(identity(2), identity(2))
    hidden.see(hidden.net[1](torch.tanh(hidden.net[0](torch.ones(1, 2)))))
    assert not hidden.only.last


def test_of_a_layer_called_several_times_the_first_call_counts() -> None:
    watched = Watched(identity(2))
    first = torch.relu(watched.net(torch.tensor([[1.0, 1.0]])))
    second = torch.relu(watched.net(torch.tensor([[-1.0, -1.0]])))
    watched.see(first + second)
    assert watched.only.zero.values == [0.0]


def test_different_functions_after_one_layer_are_kept_apart() -> None:
    watched = Watched(identity(2))
    x = watched.net(torch.tensor([[5.0, 0.0]]))
    watched.see(torch.sigmoid(x) * torch.tanh(x))
    assert {key: one.saturated.values for key, one in watched.measured.activations.items()} == {
        "0/Sigmoid": [0.5],
        "0/Tanh": [0.5],
    }


@pytest.mark.parametrize(
    "result",
    [
        lambda net: torch.relu(net(torch.ones(2))),  # one sample without its batch
        lambda net: torch.relu(net(torch.ones(0, 2))),  # no sample at all
        lambda net: nn.functional.gelu(net(torch.ones(1, 2))),  # not bounded
        lambda net: net(torch.ones(1, 2)),
        lambda net: torch.relu(torch.ones(1, 2, requires_grad=True)) + net(torch.ones(1, 2)),  # after no layer
    ],
)
def test_what_tells_nothing_is_passed_over(result: Callable[[nn.Module], Tensor]) -> None:
    watched = Watched(identity(2))
    watched.see(result(watched.net))
    assert watched.measured.activations == {}


def test_the_gates_of_a_memory_are_passed_over() -> None:
    watched = Watched(identity(2), recurrent={"0"})
    watched.see(torch.sigmoid(watched.net(torch.ones(1, 2))))
    assert watched.measured.activations == {}


def test_units_are_dead_that_gave_nothing_for_any_sample_of_the_last_batches() -> None:
    watched = Watched(identity(4))
    batch = torch.ones(64, 4)
    batch[:, :2] = -1  # two units silent
    watched.see(torch.relu(watched.net(batch)), 1)
    assert len(watched.only.dead) == 0  # one batch says nothing
    batch[7, 0] = 1  # one sample wakes the first
    watched.see(torch.relu(watched.net(batch)), 2)
    facts = watched.only
    assert (facts.units, facts.dead.steps, facts.dead.values) == (4, [2], [0.25])
    batch[7, 0] = -1
    for step in range(3, 10):
        watched.see(torch.relu(watched.net(batch)), step)
    assert facts.dead.values == [0.25] * 8
    watched.see(torch.relu(watched.net(batch)), 10)  # the waking is more than eight batches ago
    assert facts.dead.last == 0.5


def test_few_samples_do_not_tell_of_dead_units() -> None:
    watched = Watched(identity(2))
    for step in range(1, 9):
        watched.see(torch.relu(watched.net(-torch.ones(15, 2))), step)
    assert len(watched.only.dead) == 0  # 120 samples
    for step in range(9, 11):
        watched.see(torch.relu(watched.net(-torch.ones(16, 2))), step)
    assert len(watched.only.dead) == 0  # 122
    for step in range(11, 17):
        watched.see(torch.relu(watched.net(-torch.ones(16, 2))), step)
    assert watched.only.dead.steps == [16]


def test_batches_of_another_width_are_not_counted_in() -> None:
    watched = Watched(identity(2))
    for step, (samples, width) in enumerate(((64, 2), (64, 2), (1, 3), (1, 3)), 1):
        x = watched.net(-torch.ones(samples, 2))
        watched.see(torch.relu(torch.cat([x, x], 1)[:, :width]), step)
    assert watched.only.dead.steps == [2]


def test_a_unit_that_gave_no_number_is_not_one_that_gave_nothing() -> None:
    watched = Watched(identity(2))
    for step in (1, 2):
        watched.see(torch.relu(watched.net(torch.zeros(64, 2)) + torch.tensor([math.nan, -1.0])), step)
    assert watched.only.dead.values == [0.5]


def three_silent_of_four(shape: tuple[int, ...], axis: int) -> Tensor:
    x = -torch.ones(shape)
    x.select(axis, 0).fill_(1.0)
    return x


@pytest.mark.parametrize(
    ("layer", "shape", "axis"),
    [
        (identity(4), (64, 4), 1),
        (identity(4), (64, 3, 4), 2),  # sequences [N, T, C]
        (conv(4, nn.Conv1d), (64, 4, 3), 1),
        (nn.Sequential(conv(4, nn.Conv1d), nn.BatchNorm1d(4, affine=True)), (64, 4, 3), 1),
        (conv(4, nn.Conv2d), (64, 4, 3, 3), 1),
        (conv(4, nn.Conv3d), (64, 4, 2, 2, 2), 1),
        (identity(4), (64, 3, 3, 4), 3),  # a linear layer works on the last axis, whatever comes before it
    ],
)
def test_units_lie_where_the_layer_puts_them(layer: nn.Module, shape: tuple[int, ...], axis: int) -> None:
    watched = Watched(*(layer if isinstance(layer, nn.Sequential) else [layer]))
    watched.net.eval()
    for step in (1, 2):
        watched.see(torch.relu(watched.net(three_silent_of_four(shape, axis))), step)
    assert (watched.only.units, watched.only.dead.values) == (4, [0.75])


def test_of_a_large_result_the_first_samples_are_measured() -> None:
    watched = Watched(identity(2))
    x = torch.cat([torch.ones(8192, 2), -torch.ones(8192, 2)])
    watched.see(torch.relu(watched.net(x)))
    assert watched.only.zero.values == [0.0]


class ByHand(nn.Module):
    """Two matrices and no call of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.w1, self.w2 = nn.Parameter(torch.eye(2)), nn.Parameter(torch.eye(2))


def test_the_result_stands_for_the_output_of_a_matrix_by_hand() -> None:
    watched = Watched(ByHand())
    net = watched.net[0]
    watched.see(torch.relu(torch.tensor([[1.0, 3.0]]) @ net.w1) @ net.w2, 3)  # type: ignore
    layer: Layer = watched.measured.layers["0.w1"]
    assert (layer.called, layer.std.steps, layer.std.values) == (True, [3], [pytest.approx(2**0.5)])
    watched.see(torch.relu(torch.tensor([[1.0, 3.0]]) @ net.w1) @ net.w2, 4)  # type: ignore
    assert layer.std.steps == [3]
