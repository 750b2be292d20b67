"""The loop that most people write, for programs whose fault lies elsewhere."""

from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import Split, batches
from faults.program import Watch


def train(
    watch: Watch,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    epochs: int,
    size: int = 64,
    loss_fn: Any = F.cross_entropy,
    **told: Any,
) -> None:
    """Train `model` on shuffled batches under `watch`, which is told of `told`."""
    with watch(model, optimizer, **told):
        for _ in range(epochs):
            model.train()
            for inputs, targets in batches(x, y, size):
                optimizer.zero_grad()
                loss = loss_fn(model(inputs), targets)  # fault: loss
                loss.backward()
                optimizer.step()


def mlp(*widths: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of these widths with an activation between them; inputs are flattened."""
    layers: list[nn.Module] = [nn.Flatten()]
    for width_in, width_out in pairwise(widths):
        layers += [nn.Linear(width_in, width_out), activation()]
    return nn.Sequential(*layers[:-1])


def small_cnn(channels: int = 1, features: int = 16 * 49) -> nn.Sequential:
    """Two convolutions and a linear layer, for pictures of 28 × 28."""
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(),
        nn.Flatten(), nn.Linear(features, 10),
    )  # fmt: skip


def squared_error(guessed: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Mean squared error of guesses [N, 1] and targets [N], shapes minded."""
    return F.mse_loss(guessed.flatten(), wanted)


def train_and_validate(
    watch: Watch,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    data: Split,
    *,
    epochs: int,
    size: int = 64,
    loss_fn: Any = F.cross_entropy,
) -> None:
    """The same with a look at the held-out part of `data` after each epoch."""
    x, y, x_valid, y_valid = data
    with watch(model, optimizer):
        for _ in range(epochs):
            model.train()
            for inputs, targets in batches(x, y, size):
                optimizer.zero_grad()
                loss_fn(model(inputs), targets).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                loss_fn(model(x_valid), y_valid).item()
