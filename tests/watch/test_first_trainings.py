"""Faults of first trainings, seen from the loop as its user writes it: probes and rules together."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from danlu.watch.attach import Watch

G = torch.Generator().manual_seed(0)
X = torch.randn(240, 6, generator=G)
Y = (X[:, :3] + 0.3 * torch.randn(240, 3, generator=G)).argmax(1)
X_TRAIN, Y_TRAIN, X_TEST, Y_TEST = X[:160], Y[:160], X[160:], Y[160:]


def net(*last: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3), *last)


def found(watch: Watch) -> dict[str, Any]:
    return {finding.rule: finding for finding in watch.findings}


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


def loaders() -> tuple[Any, Any]:
    return DataLoader(TensorDataset(X_TRAIN, Y_TRAIN), 40), DataLoader(TensorDataset(X_TEST, Y_TEST), 40)


def train_epoch(model: nn.Module, optimizer: torch.optim.Optimizer, train_iter: Any) -> None:
    for x, y in train_iter:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def test_steps_on_test_data() -> None:
    model, (train_loader, test_loader) = net(), loaders()
    optimizer = sgd(model)
    with Watch(model, shown=False) as watch:
        for _ in range(3):
            train_epoch(model, optimizer, train_loader)
            for x, y in test_loader:
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
    assert "train-test-overlap" in found(watch)


@torch.no_grad()
def accuracy(model: nn.Module, data_iter: Any) -> float:
    return sum(int((model(x).argmax(1) == y).sum()) for x, y in data_iter)


def test_training_data_scored_as_validation_data() -> None:
    model, (train_iter, _) = net(), loaders()
    optimizer = sgd(model)
    with Watch(model, shown=False) as watch:
        for _ in range(4):
            train_epoch(model, optimizer, train_iter)
            valid_acc = accuracy(model, train_iter)
    assert valid_acc > 0
    assert "train-test-overlap" in found(watch)


def test_validation_data_scored_as_such() -> None:
    model, (train_iter, valid_iter) = net(), loaders()
    optimizer = sgd(model)
    with Watch(model, shown=False) as watch:
        for _ in range(4):
            train_epoch(model, optimizer, train_iter)
            train_acc, valid_acc = accuracy(model, train_iter), accuracy(model, valid_iter)
    assert train_acc > valid_acc
    assert "train-test-overlap" not in found(watch)


@pytest.mark.parametrize("times", [1, 2])
def test_steps_made_twice(times: int) -> None:
    model = net()
    optimizer = sgd(model)
    with Watch(model, shown=False) as watch:
        for index in torch.randperm(160, generator=torch.Generator().manual_seed(1)).split(8):
            optimizer.zero_grad()
            F.cross_entropy(model(X_TRAIN[index]), Y_TRAIN[index]).backward()
            for _ in range(times):
                optimizer.step()
    assert ("gradients-accumulate" in found(watch)) is (times == 2)


@pytest.mark.parametrize("dropped", [True, False])
def test_dropout_on_the_outputs(dropped: bool) -> None:
    model = net(nn.Dropout(0.5)) if dropped else net()
    optimizer = sgd(model)
    with Watch(model, shown=False) as watch:
        for index in torch.arange(160).split(16):
            optimizer.zero_grad()
            F.cross_entropy(model(X_TRAIN[index]), Y_TRAIN[index]).backward()
            optimizer.step()
    assert ("dropout-too-high" in found(watch)) is dropped


@pytest.mark.parametrize("scaled", [True, False])
def test_held_out_rows_that_were_not_scaled(scaled: bool) -> None:
    model = net()
    optimizer = sgd(model)
    test_rows = X_TEST if scaled else 50 + 8 * X_TEST
    with Watch(model, shown=False) as watch:
        for _ in range(2):
            for index in torch.arange(160).split(16):
                optimizer.zero_grad()
                F.cross_entropy(model(X_TRAIN[index]), Y_TRAIN[index]).backward()
                optimizer.step()
            with torch.no_grad():
                model(test_rows)
    assert ("evaluation-misuse" in found(watch)) is not scaled


@pytest.mark.parametrize("broken", [True, False])
def test_labels_of_other_rows(broken: bool) -> None:
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x = torch.randn(560, 6, generator=torch.Generator().manual_seed(2))
    y = x[:, :3].argmax(1)
    y = y.roll(1) if broken else y
    with Watch(model, shown=False) as watch:
        for _ in range(13):
            for index in torch.randperm(480).split(48):
                optimizer.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                optimizer.step()
            with torch.no_grad():
                F.cross_entropy(model(x[480:]), y[480:])
    assert ("targets-unrelated" in found(watch)) is broken
