"""The table of a net: rows, totals, and that the net and torch's generators are left as they were."""

import itertools
import warnings
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from danlu.base.errors import UserError
from danlu.base.seeds import global_seed
from danlu.nets import MLP, LeNet5, describe


class Net(nn.Module):
    """A net of given parts with a given forward."""

    def __init__(self, forward: Callable[..., object], **parts: nn.Module) -> None:
        super().__init__()
        self._forward = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> object:
        return self._forward(self, x)


def test_lenet_row_by_row() -> None:
    rows = describe(LeNet5(), (1, 28, 28)).rows
    assert [(row.name, row.kind, row.output_shape, row.parameters, row.multiply_adds) for row in rows] == [
        ("field", "Field", (1, 32, 32), 0, 0),
        ("features.0", "Conv2d", (6, 28, 28), 156, 117_600),
        ("features.1", "MaxPool2d", (6, 14, 14), 0, 0),
        ("features.2", "Tanh", (6, 14, 14), 0, 0),
        ("features.3", "Conv2d", (16, 10, 10), 2416, 240_000),
        ("features.4", "MaxPool2d", (16, 5, 5), 0, 0),
        ("features.5", "Tanh", (16, 5, 5), 0, 0),
        ("classifier.0", "Linear", (120,), 48_120, 48_000),
        ("classifier.1", "Tanh", (120,), 0, 0),
        ("classifier.2", "Linear", (84,), 10_164, 10_080),
        ("classifier.3", "Tanh", (84,), 0, 0),
        ("classifier.4", "Linear", (10,), 850, 840),
    ]


@given(
    inputs=st.integers(1, 20),
    hidden=st.lists(st.integers(1, 20), max_size=4),
    outputs=st.integers(1, 5),
    frozen=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_totals_of_any_mlp_follow_from_its_widths(inputs: int, hidden: list[int], outputs: int, frozen: bool) -> None:
    net = MLP(inputs=inputs, outputs=outputs, hidden=hidden)
    net.layers[0].requires_grad_(not frozen)
    widths = [inputs, *hidden, outputs]
    products = [a * b for a, b in itertools.pairwise(widths)]
    parameters = sum(products) + sum(widths[1:])
    found = describe(net, (inputs,))
    assert (found.multiply_adds, found.parameters, found.output_shape) == (sum(products), parameters, (outputs,))
    assert found.trainable == parameters - frozen * (products[0] + widths[1])
    assert sum(row.parameters for row in found.rows) == parameters


def test_mlp_of_the_notes() -> None:
    assert describe(MLP(), (1, 28, 28)).multiply_adds == 101_632


def test_net_and_generators_are_left_as_they_were() -> None:
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5), nn.Flatten(), nn.Linear(144, 3))
    net.train()
    net[1].eval()
    buffers = {name: (buffer, buffer.clone()) for name, buffer in net.named_buffers()}
    state = torch.get_rng_state()
    describe(net, (1, 8, 8))
    assert [module.training for module in net.modules()] == [True, True, False, True, True, True]
    assert torch.equal(torch.get_rng_state(), state)
    assert {name: id(buffer) for name, buffer in net.named_buffers()} == {k: id(b) for k, (b, _) in buffers.items()}
    assert all(torch.equal(buffer, value) for buffer, value in buffers.values())
    assert all(weight.grad is None for weight in net.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())  # pyright: ignore[reportPrivateUsage]


def test_net_is_left_as_it_was_also_when_it_fails() -> None:
    def forward(net: nn.Module, x: Tensor) -> Tensor:
        net.count.add_(torch.rand(1))  # pyright: ignore
        raise ValueError("no")

    net = Net(forward, norm=nn.BatchNorm1d(3))
    net.register_buffer("count", torch.zeros(1))
    state = torch.get_rng_state()
    with pytest.raises(UserError, match="Net.*no"):
        describe(net, (3,))
    assert net.training
    assert net.get_buffer("count").item() == 0
    assert torch.equal(torch.get_rng_state(), state)
    assert not net._forward_hooks  # pyright: ignore[reportPrivateUsage]


def test_batch_norm_sees_one_sample_without_complaint() -> None:
    found = describe(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), (3,))
    assert [row.output_shape for row in found.rows] == [(4,), (4,)]


def test_a_layer_called_twice_has_one_row_with_both_costs() -> None:
    net = Net(lambda net, x: net.layer(net.layer(x)), layer=nn.Linear(3, 3))
    found = describe(net, (3,))
    assert [(row.name, row.parameters, row.multiply_adds) for row in found.rows] == [("layer", 12, 18)]


def test_shared_parameters_are_counted_once() -> None:
    net = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    net[1].weight = net[0].weight
    found = describe(net, (3,))
    assert [(row.parameters, row.multiply_adds) for row in found.rows] == [(9, 9), (0, 9)]
    assert (found.parameters, found.trainable) == (9, 9)


def test_a_shared_module_has_its_first_name() -> None:
    layer = nn.ReLU()
    assert [row.name for row in describe(nn.Sequential(layer, nn.Linear(3, 3), layer), (3,)).rows] == ["0", "1"]


@pytest.mark.parametrize(
    "wrap",
    [lambda y: (y, None), lambda y: {"logits": y}, lambda y: {"aux": [None, {"logits": y}]}],
    ids=["tuple", "dict", "nested"],
)
def test_outputs_in_tuples_and_dictionaries_show_their_first_tensor(wrap: Callable[[Tensor], object]) -> None:
    found = describe(Net(lambda net, x: wrap(net.layer(x)), layer=nn.Linear(3, 4)), (3,))
    assert found.output_shape == (4,)


def test_recurrent_layers_show_their_output_without_the_batch_axis() -> None:
    first = Net(lambda net, x: net.lstm(x)[0], lstm=nn.LSTM(6, 5, batch_first=True))
    second = Net(lambda net, x: net.lstm(x.transpose(0, 1))[0].transpose(0, 1), lstm=nn.LSTM(6, 5))
    assert [describe(net, (9, 6)).rows[0].output_shape for net in (first, second)] == [(9, 5), (9, 5)]


def test_whole_numbers_go_in_as_a_sample_or_by_dtype() -> None:
    net = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(12, 2))
    by_sample = describe(net, (3,), sample=torch.tensor([1, 9, 0]))
    assert by_sample == describe(net, (3,), dtype=torch.int64)
    assert by_sample.rows[0].output_shape == (3, 4)


def test_a_layer_that_works_in_place_does_not_change_the_sample() -> None:
    sample = torch.full((3,), -1.0)
    describe(nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 2)), (3,), sample=sample)
    assert sample.tolist() == [-1, -1, -1]


def test_lazy_layers_get_their_weights_and_the_generators_still_stay() -> None:
    net = nn.Sequential(nn.Flatten(), nn.LazyLinear(4))
    state = torch.get_rng_state()
    found = describe(net, (2, 3))
    assert (found.rows[1].kind, found.parameters, found.multiply_adds) == ("Linear", 28, 24)
    assert torch.equal(torch.get_rng_state(), state)


def test_lazy_weights_depend_on_the_seed_in_force() -> None:
    weights: list[Tensor] = []
    for seed in (0, 1):
        with global_seed(seed, "test"):
            net = nn.LazyLinear(4)
            describe(net, (3,))
        weights.append(net.weight.detach())
    assert not torch.equal(*weights)


def test_a_layer_that_the_run_does_not_reach_counts_in_the_total_only() -> None:
    net = Net(lambda net, x: net.used(x), used=nn.Linear(3, 2), unused=nn.LazyLinear(4), other=nn.Linear(3, 1))
    found = describe(net, (3,))
    assert ([row.name for row in found.rows], found.parameters) == (["used"], 8 + 4)


def test_parameters_of_a_container_have_a_row_of_their_own() -> None:
    net = Net(lambda net, x: net.layer(x) * net.scale, layer=nn.Linear(3, 2))
    net.register_parameter("scale", nn.Parameter(torch.ones(2)))
    assert [(row.name, row.parameters) for row in describe(net, (3,)).rows] == [("", 2), ("layer", 8)]


def test_a_layer_with_parts_inside_is_one_row() -> None:
    found = describe(nn.Sequential(weight_norm(nn.Linear(3, 2))), (3,))
    assert [(row.name, row.parameters, row.multiply_adds) for row in found.rows] == [("0", 3 * 2 + 2 + 2, 6)]


def test_a_net_that_is_one_layer_has_an_unnamed_row() -> None:
    assert [(row.name, row.kind) for row in describe(nn.Linear(3, 2), (3,)).rows] == [("", "Linear")]


def test_transformers_are_followed_into_their_layers() -> None:
    net = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    found = describe(net, (5, 8))
    assert found.output_shape == (5, 8)
    assert sum(row.parameters for row in found.rows) == found.parameters == sum(p.numel() for p in net.parameters())


def test_an_error_that_the_net_catches_itself_does_not_matter() -> None:
    def forward(net: nn.Module, x: Tensor) -> Tensor:
        try:
            return net.wrong(x)  # pyright: ignore
        except RuntimeError:
            return net.right(x)  # pyright: ignore

    found = describe(Net(forward, wrong=nn.Linear(5, 2), right=nn.Linear(3, 2)), (3,))
    assert found.rows[-1].name == "right"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's, about TorchScript itself
def test_a_scripted_part_is_run_without_a_row() -> None:
    found = describe(nn.Sequential(torch.jit.script(nn.Linear(3, 4)), nn.Linear(4, 2)), (3,))
    assert ([row.name for row in found.rows], found.parameters) == (["1"], 26)


def test_a_warning_made_an_error_stays_a_warning() -> None:
    def forward(net: nn.Module, x: Tensor) -> Tensor:
        warnings.warn("slow", stacklevel=1)
        return net.layer(x)  # pyright: ignore

    with pytest.raises(UserWarning, match="slow"):
        describe(Net(forward, layer=nn.Linear(3, 2)), (3,))


def test_a_net_on_the_meta_device_is_described_without_memory() -> None:
    with torch.device("meta"):
        net = nn.Linear(10**6, 10**6)
    assert describe(net, (10**6,)).multiply_adds == 10**12
