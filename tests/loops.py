"""Small trainings that several tests watch: a task that a small net learns in a few steps."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from danlu.watch import Watch


def batches(steps: int, size: int = 32) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The same batches for everyone: which of the first three numbers is the largest?"""
    generator = torch.Generator().manual_seed(1)
    for _ in range(steps):
        x = torch.randn(size, 8, generator=generator)
        yield x, x[:, :3].argmax(1)


def net(*last: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3), *last)


def train(model: nn.Module, steps: int = 60, answer: Callable[[Any], torch.Tensor] = lambda output: output) -> None:
    """The loop as everybody writes it; `answer` takes the logits out of what the model gives."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x, y in batches(steps):
        optimizer.zero_grad()
        F.cross_entropy(answer(model(x)), y).backward()
        optimizer.step()


def loud(watch: Watch) -> list[str]:
    """The rules that found an error or a warning, in the order in which they are shown."""
    return [finding.rule for finding in watch.findings if finding.severity != "advice"]
