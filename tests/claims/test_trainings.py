"""What the claims look at: one training whatever part judges it, layers of deep networks, trainings that diverged."""

import math
from pathlib import Path

import pytest
import torch

from danlu.claims.bench import Bench, Trainable
from danlu.claims.deep import deep_net, digits_batch, geometric_means, gradient_norms
from danlu.claims.notes.best_checkpoint_beats_last import at_best
from danlu.claims.notes.shuffling_helps import sorted_digits
from danlu.claims.notes.too_large_rate_diverges import diverged
from danlu.claims.notes.xavier_keeps_variance import variances
from danlu.claims.training import Training
from danlu.data import load
from danlu.data.memory import MemoryDataset


def test_one_training_is_judged_by_either_part(tmp_path: Path) -> None:
    settings = {"train.epochs": 3, "train.patience": 3, "train.weights": "last", "data.samples": 100}
    ground = Trainable("mlp", "digits", settings)
    validated, judged = (
        Bench(tmp_path).train(part, ground, rates=[0.1], seeds=[0], judge=part)[0.1][0]
        for part in ("validation", "test")
    )
    assert list(validated.train) == list(judged.train)
    assert validated.course["accuracy"] != judged.course["accuracy"]
    assert len(judged.course["accuracy"]) == 3
    assert None not in judged.course["accuracy"]
    assert judged.course["accuracy"][-1] == pytest.approx(judged.score["accuracy"], abs=1e-4)


def trial(course: list[float | None], train: list[float | None], diverged_at: int = 0) -> Training:
    epochs = list(range(1, len(train) + 1))
    return Training(0, 0.1, {"accuracy": 0.1}, epochs, train, [], 10, diverged_at, {"accuracy": course, "loss": course})


def test_the_best_epoch_is_that_of_the_validation_part() -> None:
    validated, judged = (trial(course, [1.0] * 4) for course in ([0.5, 0.9, 0.9, None], [0.4, 0.6, 0.7, 0.99]))
    assert at_best(judged, validated).score["accuracy"] == 0.6
    validated.course["loss"] = [0.5, 0.9, 0.8, 0.1]  # type: ignore[index]
    assert at_best(judged, validated).score["accuracy"] == 0.7, "of equally accurate ones that with the smaller loss"


def test_what_has_diverged() -> None:
    still = trial([], [2.3])
    assert not diverged(trial([], [3.0, 2.0]), still)
    assert diverged(trial([], [2.0, 2.4]), still)
    assert diverged(trial([], [2.0, math.nan]), still)
    assert diverged(trial([], [2.0], diverged_at=7), still)


def test_the_gradient_of_each_layer() -> None:
    net = deep_net(3, "tanh", "default", 0)
    x, y = digits_batch()
    loss, norms = gradient_norms(net)
    torch.nn.functional.cross_entropy(net(x), y).backward()
    by_backward = [float(weight.grad.norm()) for weight in net.parameters() if weight.dim() == 2]  # type: ignore[union-attr]
    assert norms == pytest.approx(by_backward, rel=1e-4)
    assert loss == pytest.approx(math.log(10), rel=0.1)
    assert geometric_means([[1.0, 4.0], [4.0, 4.0]]) == pytest.approx([2.0, 4.0])


@pytest.mark.parametrize("activation", ["none", "tanh", "relu"])
def test_the_variance_of_each_hidden_layer(activation: str) -> None:
    x, _ = digits_batch()
    net = deep_net(10, activation, "xavier-uniform", 5)
    function = {"none": torch.nn.Identity(), "tanh": torch.tanh, "relu": torch.relu}[activation]
    linear = [layer for layer in net.modules() if isinstance(layer, torch.nn.Linear)]
    by_hand: list[float] = []
    with torch.no_grad():
        for layer in linear[:-1]:
            x = function(layer(x))
            by_hand.append(float(x.var(correction=0)))
    assert variances(activation, "xavier-uniform", 5) == pytest.approx(by_hand, rel=1e-4)


def test_sorted_digits_are_the_digits() -> None:
    data, ordered = load("digits"), sorted_digits("2")
    assert isinstance(data, MemoryDataset)
    assert isinstance(ordered, MemoryDataset)
    assert ordered.sizes == data.sizes
    count = data.sizes["train"]
    assert ordered.y[:count].tolist() == sorted(data.y[:count].tolist())
    assert ordered.y[count:].tolist() == data.y[count:].tolist()
