"""Whether targets go with the inputs beside them."""

import math

import pytest
import torch

from danlu.watch.measured import Measured
from danlu.watch.probes.relation import RelationProbe


def drawn(samples: int = 400, columns: int = 6) -> torch.Tensor:
    return torch.randn(samples, columns, generator=torch.Generator().manual_seed(0))


def related(x: torch.Tensor, y: torch.Tensor, kind: str, *, batch: int = 50) -> float:
    measured = Measured()
    probe = RelationProbe(measured)
    for rows, targets in zip(x.split(batch), y.split(batch), strict=True):
        probe.called([rows])
        probe.met(kind, targets)
        probe.end_step()
    probe.end()
    return measured.unrelated.relation


X = drawn()
NOISE = torch.randn(400, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("targets", "kind"),
    [
        (X[:, 0] + 2 * NOISE, "numbers"),  # a fifth of their variance
        ((X[:, :1] * X[:, 1:2]).sign(), "numbers"),  # no direction tells it, neighbours do
        ((X[:, 0] + NOISE > 0).long(), "classes"),
        ((X[:, 0] + NOISE > 0).float()[:, None], "binary"),
        (X[:, :3].argmax(1), "classes"),
    ],
)
def test_targets_that_go_with_their_inputs(targets: torch.Tensor, kind: str) -> None:
    assert related(X, targets, kind) > 4
    assert related(X.view(400, 1, 2, 3), targets, kind) > 4
    assert related(X, targets[torch.randperm(400, generator=torch.Generator().manual_seed(2))], kind) < 3


def test_the_same_samples_again_count_once() -> None:
    order = torch.randperm(800, generator=torch.Generator().manual_seed(4)) % 250
    assert related(X[order], NOISE[order], "numbers") < 3
    assert related(X[order], X[order, 0], "numbers") > 4
    assert math.isnan(related(X[order % 150], NOISE[order % 150], "numbers"))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X[:150], NOISE[:150]),  # too few
        (X.long(), NOISE),  # tokens
        (X, torch.zeros(400)),  # all alike
        (X, X),  # more than one target a sample
        (X, NOISE.clone().requires_grad_()),
        (torch.zeros(400, 3), NOISE),
    ],
)
def test_what_cannot_be_compared(x: torch.Tensor, y: torch.Tensor) -> None:
    assert math.isnan(related(x, y, "numbers"))


def test_the_generator_of_the_training_is_left_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    related(X, NOISE, "numbers")
    assert torch.equal(before, torch.get_rng_state())


def test_of_two_samples_that_are_compared_nothing_is_known() -> None:
    measured = Measured()
    for calls in ([[X, X.flip(0)]], [[X], [X.flip(0)]]):
        probe = RelationProbe(measured)
        for given in calls:
            probe.called(given)
        probe.met("numbers", X[:, 0])
        probe.end()
        assert math.isnan(measured.unrelated.relation)
