"""Nets and batches that a copy is tried with, and the trial of a few steps."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.patches import LossCall
from danlu.watch.probes.interventions import InterventionProbe

Batch = tuple[torch.Tensor, torch.Tensor]
DRAWN = torch.Generator()


def drawn_anew() -> None:
    DRAWN.manual_seed(0)
    torch.manual_seed(0)


def tried(
    net: nn.Module, batch: Callable[[], Batch], *, steps: int = 2, kind: str = "classes", ignored: int = -100,
    roots: dict[str, nn.Module] | None = None, loader_batch: int = 0, **beside: Any,
) -> Intervention:  # fmt: skip
    """The newest trial of steps in which `net` is called with a batch, and its answers meet the targets."""
    measured = Measured(loader_batch=loader_batch)
    probe = InterventionProbe(measured, roots or {"": net})
    for step in range(1, steps + 1):
        x, y = batch()
        probe.called(net, (x,), beside, step)
        output = net(x, **beside)
        probe.answered(output)
        call = LossCall("cross_entropy_loss", kind, output, y, weighted=False, summed=False, ignored=ignored)
        probe.lost(call, output.sum())
        probe.end_step(step)
    return next(iter(measured.interventions.values()))


def tokens(rows: int = 6, places: int = 8) -> Batch:
    x = torch.randint(1, 12, (rows, places + 1), generator=DRAWN)
    return x[:, :-1], x[:, 1:]


class Reader(nn.Module):
    def __init__(self, *, both: bool = False, first: bool = True) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 8)
        self.rnn = nn.GRU(8, 8, batch_first=first, bidirectional=both)
        self.head = nn.Linear(16 if both else 8, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(self.embed(x))[0])


class Judge(nn.Module):
    """One answer a sample."""

    def __init__(self, net: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.weight, self.net = nn.Parameter(torch.ones(())), net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * self.net(x)


def numbers(*size: int) -> Callable[[], Batch]:
    return lambda: (torch.randn(*size, generator=DRAWN), torch.randint(3, size[:1], generator=DRAWN))
