"""What of all that modules hold is a state of the samples."""

import pytest
import torch
from torch import nn

from danlu.watch.probes.held import HeldStates
from danlu.watch.trying import ModuleCall

X = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))


class Memory(nn.Module):
    """Keeps what `kind` says, and uses it or not."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.layer, self.kind = nn.Linear(5, 5), kind
        self.table = nn.Parameter(torch.randn(8, 5))
        self.register_buffer("queue", torch.randn(8, 5))
        self.kept: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.layer(x)
        if self.kind == "state" and self.kept is not None:
            h = h + self.kept
        if self.kind == "queue":
            h = h @ self.queue.t()
            self.queue.copy_(x)
            return h
        if self.kind != "none":
            self.kept = h.detach()
        return h


def states(kind: str) -> list[bool]:
    """Of all that two calls have written, whether it is used."""
    net, held = Memory(kind), HeldStates()
    before = held.of(net, 8)
    net(X)
    held.written(net, 8, before)
    found = [one for one in held.of(net, 8) if one.name != "queue" or kind == "queue"]
    call = ModuleCall.of(net, (X,), {})
    net(X)
    return [held.is_used(call, one, 8) for one in found]


@pytest.mark.parametrize(
    ("kind", "used"), [("state", [True]), ("looked at", [False]), ("queue", [False]), ("none", [])]
)
def test_a_state_is_written_by_calls_and_used_row_by_row(kind: str, used: list[bool]) -> None:
    assert states(kind) == used


def test_the_weights_of_a_recurrent_layer_are_none() -> None:
    net = nn.RNN(8, 8, batch_first=True)
    assert HeldStates().of(net, 8) == []
