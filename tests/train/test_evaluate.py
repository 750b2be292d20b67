import pytest
import torch
from torch import nn

from danlu.base.events import Stop
from danlu.base.recipe import LossRecipe
from danlu.train.evaluate import evaluate
from danlu.train.losses import build_loss
from danlu.train.metrics import Metrics

LOSS = build_loss("cross-entropy", LossRecipe())


def parts() -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(25, 3, generator=generator)
    targets = torch.randint(0, 2, (25,), generator=generator)
    return list(zip(inputs.split(10), targets.split(10), strict=True))


def test_loss_is_the_mean_over_samples_not_over_batches() -> None:
    net = nn.Linear(3, 2)
    score = evaluate(net, parts(), LOSS, Metrics("classification", 2))
    inputs, targets = (torch.cat(tensors) for tensors in zip(*parts(), strict=True))
    assert not isinstance(score, Stop)
    assert score["loss"] == pytest.approx(LOSS(net(inputs), targets).item(), rel=1e-6)


def test_dropout_is_off_and_the_mode_comes_back() -> None:
    net = nn.Sequential(nn.Dropout(0.9), nn.Linear(3, 2))
    net.train()
    scores = [evaluate(net, parts(), LOSS, Metrics("classification", 2)) for _ in range(2)]
    assert scores[0] == scores[1]
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())


def test_breaking_off_at_once_is_quiet() -> None:
    assert evaluate(nn.Linear(3, 2), parts(), LOSS, Metrics("classification", 2), lambda: True) == Stop("interrupted")


def test_breaks_off_when_asked_and_the_metrics_start_afresh() -> None:
    metrics = Metrics("classification", 2)
    answers = iter([False, True])
    assert evaluate(nn.Linear(3, 2), parts(), LOSS, metrics, lambda: next(answers)) == Stop("interrupted")
    metrics.update(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    assert metrics.compute(0.5)["accuracy"] == 1.0
