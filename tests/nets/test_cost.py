"""Multiply-adds by hand, and against torch's own count of floating point operations (two for each multiply-add)."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from danlu.nets import LeNet5, describe

COUNTED_BY_TORCH = [
    (nn.Linear(7, 5), (7,)),
    (nn.Linear(7, 5), (3, 7)),
    (nn.Conv1d(4, 6, 3, stride=2, padding=1), (4, 11)),
    (nn.Conv2d(4, 6, (3, 5), dilation=2, groups=2), (4, 15, 15)),
    (nn.Conv3d(2, 3, 2), (2, 5, 5, 5)),
    (nn.ConvTranspose1d(4, 6, 3, stride=2), (4, 11)),
    (nn.ConvTranspose2d(4, 6, 3, stride=2), (4, 7, 7)),
    (nn.ConvTranspose3d(2, 3, 2), (2, 4, 4, 4)),
]


@pytest.mark.parametrize(("layer", "shape"), COUNTED_BY_TORCH, ids=repr)
def test_layers_cost_what_torch_counts(layer: nn.Module, shape: tuple[int, ...]) -> None:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        layer(torch.zeros(1, *shape))
    assert describe(layer, shape).multiply_adds * 2 == counter.get_total_flops() > 0


def test_groups_divide_the_cost_of_a_transposed_convolution() -> None:
    whole = describe(nn.ConvTranspose2d(4, 6, 3), (4, 7, 7)).multiply_adds
    assert describe(nn.ConvTranspose2d(4, 6, 3, groups=2), (4, 7, 7)).multiply_adds * 2 == whole


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrent_layers_cost_their_gates_at_every_step(kind: type[nn.RNNBase], gates: int) -> None:
    inputs, hidden, steps = 6, 5, 9
    first = steps * 2 * gates * hidden * (inputs + hidden)
    second = steps * 2 * gates * hidden * (2 * hidden + hidden)
    layer = kind(inputs, hidden, num_layers=2, bidirectional=True, batch_first=True)
    assert describe(layer, (steps, inputs)).multiply_adds == first + second


@pytest.mark.filterwarnings("ignore:LSTM with projections")  # torch saying that it takes its slower code
def test_a_projected_lstm_and_a_cell_cost_by_hand() -> None:
    projected = nn.LSTM(6, 5, proj_size=2, batch_first=True)
    assert describe(projected, (9, 6)).multiply_adds == 9 * (4 * 5 * 6 + 4 * 5 * 2 + 2 * 5)
    assert describe(nn.GRUCell(6, 5), (6,)).multiply_adds == 3 * 5 * (6 + 5)


def test_bilinear_costs_all_pairs_of_inputs() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pair = nn.Bilinear(4, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.pair(x, x)

    assert describe(Pair(), (4,)).multiply_adds == 3 * 4 * 4


def test_lenet_by_hand() -> None:
    convolutions = 6 * 28 * 28 * 25 + 16 * 10 * 10 * 6 * 25
    linear = 400 * 120 + 120 * 84 + 84 * 10
    assert describe(LeNet5(), (1, 28, 28)).multiply_adds == convolutions + linear


def test_other_layers_cost_nothing() -> None:
    net = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    assert describe(net, (2, 4, 4)).multiply_adds == 0
