"""What is heard of loaders, samplers, generators and dropout changes no bit of a training."""

import random
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, DistributedSampler

import danlu


class Noisy(Dataset[Any]):
    """Samples with noise of every generator there is."""

    def __init__(self) -> None:
        self.x = torch.randn(48, 6, 8)
        self.rng = np.random.default_rng(0)
        self.own = torch.Generator().manual_seed(1)

    def __len__(self) -> int:
        return 48

    def __getitem__(self, index: int) -> Any:
        noise = torch.from_numpy(self.rng.normal(size=(6, 8)) + np.random.normal(size=(6, 8))).float()
        noise = noise + torch.randn(6, 8, generator=self.own) + random.random() + torch.rand(1)
        return self.x[index] + 0.1 * noise, index % 3


class Attends(nn.Module):
    """Drops in attention and behind it, in evaluation too."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(8, 24), nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.inner(x).chunk(3, -1)
        return self.outer(F.dropout(F.scaled_dot_product_attention(q, k, v, dropout_p=0.2), 0.1).mean(1))


def trained(workers: int, *, watched: bool) -> list[torch.Tensor]:
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    data, net = Noisy(), Attends()
    sampler: Any = DistributedSampler(data, num_replicas=2, rank=0)
    loader: Any = DataLoader(data, 6, sampler=sampler, num_workers=workers)
    optimizer = torch.optim.SGD(net.parameters(), 0.05)
    kept: list[torch.Tensor] = []

    def train() -> None:
        for _ in range(3):
            net.train()
            for inputs, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(net(inputs), labels).backward()
                optimizer.step()
            net.eval()
            with torch.no_grad():
                kept.append(net(data.x))

    if watched:
        with danlu.watch(net, optimizer, shown=False) as watch:
            train()
        told = {one.rule for one in watch.findings}
        assert {"order-repeats", "train-mode-in-evaluation"} <= told
        assert ("augmentation-repeats" in told) == bool(workers)
    else:
        train()
    kept += [one.detach() for one in net.parameters()]
    return [*kept, torch.rand(1), torch.tensor(np.random.rand()), torch.tensor(random.random()), data.own.get_state()]


@pytest.mark.every(2)
@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_is_the_same_to_the_bit(workers: int) -> None:
    for one, other in zip(trained(workers, watched=True), trained(workers, watched=False), strict=True):
        assert torch.equal(one, other)
