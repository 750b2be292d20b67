"""Where in a net a change goes on to what it must not reach."""

import pytest
import torch
from torch import nn

from danlu.watch.probes.answers import changed
from danlu.watch.probes.spreading import module_that_mixes
from danlu.watch.trying import Copy, ModuleCall

X = torch.randn(4, 6, 8, generator=torch.Generator().manual_seed(0))
LATE = (torch.arange(6) >= 3).expand(4, 6)
ONE = (torch.arange(4) == 2)[:, None].expand(4, 6)


class Attention(nn.Module):
    def __init__(self, masked: bool) -> None:
        super().__init__()
        self.queries, self.out, self.masked = nn.Linear(8, 8), nn.Linear(8, 8), masked

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weights = self.queries(x) @ x.transpose(1, 2)
        if self.masked:
            weights = weights.masked_fill(torch.ones(6, 6).triu(1).bool(), float("-inf"))
        return self.out(weights.softmax(-1) @ x)


class Over(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(0, keepdim=True) + x


def found(net: nn.Module, places: torch.Tensor) -> str | None:
    torch.manual_seed(0)
    call = ModuleCall.of(net, (X,), {})
    return module_that_mixes(Copy(call), {id(X): changed(X, places, 0)}, places)


@pytest.mark.parametrize(
    ("net", "places", "name"),
    [
        (lambda: nn.Sequential(nn.Linear(8, 8), Attention(True), Attention(False), nn.ReLU()), LATE, "2"),
        (lambda: nn.Sequential(nn.Sequential(nn.LayerNorm(8), Attention(False)), Attention(True)), LATE, "0.1"),
        (lambda: nn.Sequential(nn.Linear(8, 8), Attention(True)), LATE, None),
        (lambda: nn.Sequential(nn.Linear(8, 8), nn.Flatten(), nn.Linear(48, 8), Over()), ONE, "3"),
        (Over, ONE, ""),
        (lambda: nn.Sequential(nn.Linear(8, 8), nn.Flatten(), nn.Linear(48, 8)), ONE, None),
    ],
)
def test_the_innermost_module_is_named(net: object, places: torch.Tensor, name: str | None) -> None:
    torch.manual_seed(0)
    assert callable(net)
    assert found(net(), places) == name


def test_the_layer_that_reads_the_batch_as_time() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.into, self.rnn = nn.Linear(8, 8), nn.GRU(8, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.rnn(self.into(x))[0]

    assert found(Net(), ONE) == "rnn"
