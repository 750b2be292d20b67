"""What the modules of a net say of its design."""

from typing import Any

import pytest
import torch
from torch import nn

from danlu.watch.probes.design import is_batch_second, shares_by_design
from danlu.watch.trying import ModuleCall


@pytest.mark.parametrize(
    ("layer", "second"),
    [
        (nn.LSTM(2, 3), True), (nn.LSTM(2, 3, batch_first=True), False), (nn.MultiheadAttention(4, 2), True),
        (nn.Linear(2, 3), False),
    ],
)  # fmt: skip
def test_layers_that_want_the_samples_second(layer: nn.Module, second: bool) -> None:
    assert is_batch_second(layer) is second


@pytest.mark.parametrize(
    ("module", "given", "shared"),
    [
        (nn.Linear(3, 2), (torch.zeros(5, 3),), False),
        (nn.Linear(3, 2), (torch.zeros(5, 3), torch.eye(5)), True),
        (nn.Linear(3, 2), (torch.zeros(5, 3), torch.zeros(2, 9, dtype=torch.long)), True),
        (nn.BatchNorm1d(3), (torch.zeros(5, 3),), False),
        (nn.BatchNorm1d(3, track_running_stats=False), (torch.zeros(5, 3),), True),
    ],
)
def test_samples_that_are_meant_to_see_each_other(module: nn.Module, given: Any, shared: bool) -> None:
    assert shares_by_design(ModuleCall.of(module, given, {}), list(module.modules()), 5) is shared
