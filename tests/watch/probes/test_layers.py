"""Layers: what a net is made of, and mean, spread and finiteness of what each layer gives."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from danlu.watch.layer_facts import Layer
from danlu.watch.measured import Measured
from danlu.watch.probes.layers import LayerProbe, flat_sample, layers_of


class Watched:
    """A net of layers, and its probe."""

    def __init__(self, *layers: nn.Module) -> None:
        modules, records, _ = layers_of({"": nn.Sequential(*layers)})
        self.measured = Measured(layers=records)
        self.probe = LayerProbe(self.measured, modules)

    def step(self, *outputs: tuple[str, Any], step: int = 1) -> None:
        for name, output in outputs:
            self.probe.see(name, output)
        self.probe.end_step(step)

    def __getitem__(self, name: str) -> Layer:
        return self.measured.layers[name]


OUTPUTS: list[tuple[Any, float, float]] = [
    (torch.tensor([[1.0, 2.0], [3.0, 6.0]]), 3.0, 14**0.5 / 2),
    (torch.tensor(4.0), 4.0, 0.0),
    (torch.tensor([[5.0]]), 5.0, 0.0),
    (torch.tensor([1.0, 3.0], dtype=torch.float64), 2.0, 1.0),
    (torch.tensor([1.0, 3.0], dtype=torch.bfloat16), 2.0, 1.0),
    (torch.tensor([200.0, 300.0] * 400, dtype=torch.float16), 250.0, 50.0),  # its squares are too large for its type
    ((torch.tensor([1.0, 3.0]), torch.tensor([9.0])), 2.0, 1.0),  # the first one of several
    ({"logits": torch.tensor([1.0, 3.0])}, 2.0, 1.0),
    (torch.nn.Parameter(torch.tensor([1.0, 3.0])), 2.0, 1.0),
]


@pytest.mark.parametrize(("output", "mean", "std"), OUTPUTS)
def test_mean_and_spread_are_those_of_the_output(output: Any, mean: float, std: float) -> None:
    watched = Watched(nn.Linear(2, 2))
    watched.step(("0", output), step=7)
    layer = watched["0"]
    assert (layer.called, layer.nonfinite_since) == (True, None)
    assert (layer.mean.steps, layer.std.steps) == ([7], [7])
    assert layer.mean.last == pytest.approx(mean)
    assert layer.std.last == pytest.approx(std, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    "output",
    [
        torch.tensor([1, 2]),
        torch.tensor([True]),
        torch.empty(0, 2),
        torch.ones(2, 2).to_sparse(),
        torch.ones(2, device="meta"),
        torch.ones(2, dtype=torch.complex64),
        None,
        "text",
    ],
)
def test_what_has_no_numbers_to_read_is_passed_over(output: Any) -> None:
    watched = Watched(nn.Linear(2, 2))
    watched.step(("0", output))
    assert (watched["0"].called, len(watched["0"].mean), len(watched["0"].std)) == (False, 0, 0)


@pytest.mark.parametrize("bad", [[math.nan, 1.0], [math.inf, 1.0], [-math.inf, 1.0], [math.inf, -math.inf]])
def test_an_output_that_is_not_finite_is_told_since_when(bad: list[float]) -> None:
    watched = Watched(nn.Linear(2, 2))
    for step, output in enumerate(([1.0, 2.0], bad, bad), 1):
        watched.step(("0", torch.tensor(output)), step=step)
    assert watched["0"].nonfinite_since == 2
    assert not math.isfinite(watched["0"].std.last)


def test_numbers_whose_squares_are_too_large_are_finite_all_the_same() -> None:
    watched = Watched(nn.Linear(2, 2))
    watched.step(("0", torch.tensor([1e25, -1e25])))
    assert watched["0"].nonfinite_since is None


def test_a_large_output_is_measured_in_its_first_samples() -> None:
    output = torch.cat([torch.full((4, 2048), 1.0), torch.full((4, 2048), 9.0)])
    watched = Watched(nn.Linear(2, 2))
    watched.step(("0", output))
    assert (watched["0"].mean.last, watched["0"].std.last) == (1.0, 0.0)
    assert flat_sample(output).shape == (4, 2048)
    assert flat_sample(torch.zeros(1, 10_000)).shape == (1, 10_000)  # one sample at least
    assert flat_sample(torch.zeros(5, dtype=torch.int64)).dtype is torch.float64


def test_layers_come_to_stand_in_the_order_of_their_calls() -> None:
    watched = Watched(nn.Linear(2, 3), nn.Linear(3, 4), nn.Linear(4, 5))
    watched.step(("2", torch.ones(1)), ("0", torch.ones(1)))
    watched.step(("1", torch.ones(1)), ("0", torch.ones(1)), step=2)
    assert list(watched.measured.layers) == ["2", "0", "1"]
    assert [watched[name].mean.steps for name in "210"] == [[1], [2], [1, 2]]


def test_a_layer_that_is_called_twice_is_measured_by_its_last_call() -> None:
    watched = Watched(nn.Linear(2, 2))
    watched.step(("0", torch.tensor([1.0])), ("0", torch.tensor([5.0])))
    assert watched["0"].mean.values == [5.0]


def test_products_are_those_of_the_first_step() -> None:
    watched = Watched(nn.Linear(3, 4), nn.LayerNorm(4))
    watched.step(("0", torch.ones(5, 4)), ("1", torch.ones(5, 4)))
    watched.step(("0", torch.ones(5, 4)), step=2)
    assert watched.probe.products == 3 * 5 * 4


def test_a_step_in_which_nothing_was_called_leaves_nothing() -> None:
    watched = Watched(nn.Linear(2, 2))
    watched.step()
    assert not watched["0"].called
    watched.step(("0", torch.ones(1)), step=2)
    assert watched["0"].mean.steps == [2]


def test_the_share_of_a_memory_at_its_bounds_is_an_activation() -> None:
    watched = Watched(nn.LSTM(2, 4))
    watched.step(("0", (torch.tensor([[0.95, -0.95, 0.93, 0.0]]), torch.ones(1))), step=3)
    facts = watched.measured.activations["0/output"]
    assert (facts.name, facts.kind, facts.last) == ("0", "tanh", False)
    assert (facts.saturated.steps, facts.saturated.values) == ([3], [0.5])
    watched.measured.step = 1000
    watched.step(("0", torch.ones(1, 4)), step=1001)
    assert facts.saturated.steps == [3]


def test_an_ordinary_layer_has_no_bounds() -> None:
    watched = Watched(nn.Linear(2, 2))
    watched.step(("0", torch.ones(1, 2)))
    assert watched.measured.activations == {}


def only(module: nn.Module, *, name: str = "0") -> Layer:
    return layers_of({"": nn.Sequential(module)})[1][name]


def linear(weight: torch.Tensor) -> nn.Linear:
    """A layer of that weight alone."""
    layer = nn.Linear(1, 1, bias=False)
    layer.weight = nn.Parameter(weight)
    return layer


SHAPES: list[tuple[nn.Module, dict[str, Any]]] = [
    (nn.Linear(3, 5), {"kind": "Linear", "inputs": 3, "outputs": 5, "width": 5, "channels": 3, "parameters": 20}),
    (nn.Linear(3, 5, bias=False), {"inputs": 3, "outputs": 5, "parameters": 15}),
    (nn.Conv2d(4, 6, 3), {"inputs": 36, "outputs": 6, "width": 6, "channels": 4, "grouped": False, "parameters": 222}),
    (nn.Conv2d(4, 6, 3, groups=2), {"inputs": 18, "outputs": 6, "width": 6, "channels": 4, "grouped": True}),
    (nn.Conv1d(4, 6, 5), {"inputs": 20, "outputs": 6, "channels": 4}),
    (nn.ConvTranspose2d(4, 6, 3), {"inputs": 54, "outputs": 4, "width": 6, "channels": 4, "parameters": 222}),
    (nn.LSTM(3, 5), {"kind": "LSTM", "inputs": 3, "outputs": 20, "width": 5, "parameters": 200}),
    (nn.LSTM(3, 5, bidirectional=True), {"width": 10}),
    (nn.LSTM(3, 5, proj_size=2), {"width": 2}),
    (nn.GRUCell(3, 5), {"inputs": 3, "outputs": 15, "width": 5}),
    (nn.Embedding(9, 4), {"inputs": 4, "outputs": 9, "width": 4, "parameters": 36}),
    (nn.EmbeddingBag(9, 4), {"width": 4}),
    (nn.BatchNorm1d(4), {"inputs": 0, "outputs": 0, "width": 0, "channels": 0, "parameters": 8}),
    (nn.LayerNorm(4), {"inputs": 0, "outputs": 0, "parameters": 8}),
    (nn.LayerNorm((3, 4)), {"inputs": 0, "outputs": 0, "width": 0, "parameters": 24}),
    (nn.PReLU(), {"inputs": 0, "outputs": 0, "parameters": 1}),
    (linear(torch.empty(0, 3)), {"inputs": 0, "outputs": 0, "parameters": 0}),
    (linear(torch.empty(3, 0)), {"inputs": 0, "outputs": 3, "parameters": 0}),
    (nn.LazyLinear(3), {"kind": "LazyLinear", "inputs": 0, "outputs": 0, "parameters": 0}),
    (nn.Linear(3, 5, device="meta"), {"inputs": 3, "outputs": 5, "fresh": False}),
]


@pytest.mark.parametrize(("module", "facts"), SHAPES)
def test_the_sizes_of_a_layer_are_those_of_its_weight(module: nn.Module, facts: dict[str, Any]) -> None:
    layer = only(module)
    assert {name: getattr(layer, name) for name in facts} == facts
    assert (layer.name, layer.trainable, layer.bare) == ("0", True, False)


@pytest.mark.parametrize("module", [nn.Linear(64, 64), nn.Conv2d(4, 32, 3), nn.Conv1d(2, 64, 5)])
def test_a_weight_as_torch_draws_it_looks_fresh(module: nn.Module) -> None:
    inputs = module.weight[0].numel()  # type: ignore
    # A ladder that fills the interval evenly, as the uniform distribution does.
    with torch.no_grad():
        module.weight.copy_(torch.linspace(-1, 1, module.weight.numel()).view_as(module.weight) * inputs**-0.5)  # type: ignore
    assert only(module).fresh
    with torch.no_grad():
        module.weight.mul_(1.2)  # type: ignore
    assert not only(module).fresh
    with torch.no_grad():
        module.weight.mul_(0.5)  # type: ignore
    assert not only(module).fresh


@pytest.mark.parametrize("value", [0.0, 1.0, math.nan])
def test_a_constant_weight_does_not_look_fresh(value: float) -> None:
    module = nn.Linear(16, 16)
    nn.init.constant_(module.weight, value)
    assert not only(module).fresh


def test_a_layer_is_trainable_where_any_of_its_parameters_is() -> None:
    module = nn.Linear(2, 2)
    module.weight.requires_grad_(False)
    assert only(module).trainable
    assert not only(module.requires_grad_(False)).trainable


def test_a_shared_weight_belongs_to_the_first_that_has_it() -> None:
    one, two = nn.Linear(2, 2), nn.Linear(2, 2)
    two.weight = one.weight
    modules, records, owners = layers_of({"": nn.Sequential(one, two, one)})
    assert list(modules) == list(records) == ["0", "1"]
    assert [records[name].parameters for name in records] == [6, 2]
    assert owners == {id(one.weight): "0", id(one.bias): "0", id(two.bias): "1"}


class ByHand(nn.Module):
    """Two matrices, as a textbook writes them."""

    def __init__(self) -> None:
        super().__init__()
        self.w1, self.b1 = nn.Parameter(torch.zeros(3, 5)), nn.Parameter(torch.zeros(5))
        self.w2, self.b2 = nn.Parameter(torch.zeros(5, 2)), nn.Parameter(torch.zeros(2))


def test_each_matrix_of_a_module_by_hand_is_a_layer_with_the_vectors_after_it() -> None:
    modules, records, owners = layers_of({"": ByHand()})
    assert modules == {}
    assert [(name, one.kind, one.bare, one.parameters) for name, one in records.items()] == [
        ("w1", "Linear", True, 20),
        ("w2", "Linear", True, 12),
    ]
    assert list(owners.values()) == ["w1", "w1", "w2", "w2"]
    assert list(layers_of({"": nn.Sequential(ByHand())})[1]) == ["0.w1", "0.w2"]


def test_names_begin_with_those_of_the_nets_and_pass_over_wrappers() -> None:
    wrapped = nn.Module()
    wrapped.module = nn.Sequential(nn.Linear(1, 1))
    assert list(layers_of({"actor": wrapped, "critic": nn.Linear(1, 1)})[1]) == ["actor.0", "critic"]
    assert list(layers_of({"": nn.Linear(1, 1)})[1]) == ["Linear"]
    assert layers_of({"": nn.ReLU()}) == ({}, {}, {})


def test_the_share_of_its_state_that_an_lstm_keeps_follows_from_its_biases() -> None:
    def kept(module: nn.Module) -> float:
        return layers_of({"": module})[1][type(module).__name__].forget

    lstm = nn.LSTM(3, 4)
    with torch.no_grad():
        lstm.bias_ih_l0[4:8], lstm.bias_hh_l0[4:8] = -3.0, -2.0
    assert kept(lstm) == pytest.approx(1 / (1 + math.exp(5)))
    assert 0.25 < kept(nn.LSTM(3, 4)) < 0.75
    assert math.isnan(kept(nn.LSTM(3, 4, bias=False)))
    assert math.isnan(kept(nn.GRU(3, 4)))
