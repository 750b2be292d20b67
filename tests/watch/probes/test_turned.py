"""Held-out pictures that a net knows, but not as they come."""

import pytest
import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.probes.turned import look_turned


class FirstRow(nn.Module):
    """Says in which column of its first row a picture is bright."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, 0, 0]


def pictures(count: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    labels = torch.arange(count) % 8
    x = torch.zeros(count, 1, 8, 8)
    x[torch.arange(count), 0, 0, labels] = 1.0
    return x, labels


def looked(x: torch.Tensor, labels: torch.Tensor, *, trained: float = 1.0) -> Measured:
    measured = Measured(step=60)
    for _ in range(20):
        measured.accuracy.add(trained)
    look_turned(measured, {"": FirstRow()}, (x, labels))
    return measured


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (lambda x: x.transpose(2, 3), "x.transpose(2, 3)"),
        (lambda x: x.flip(3), "x.flip(3)"),
        (lambda x: x.flip(2), "x.flip(2)"),
        (lambda x: 1 - x, "x.max() - x"),
    ],
)
def test_what_turns_them_back_is_told(change, how: str) -> None:  # type: ignore[no-untyped-def]
    x, labels = pictures()
    found = looked(change(x), labels).unfair["turned"]
    assert (found.how, found.share) == (how, 1.0)
    assert found.score < 0.3


def test_nothing_is_told_of_a_net_that_knows_them_or_never_learnt_or_is_helped_by_nothing() -> None:
    x, labels = pictures()
    for measured in (
        looked(x, labels), looked(x.flip(3), labels, trained=0.3), looked(torch.rand(x.shape), labels),
        looked(*(one[:20] for one in (x.flip(3), labels))),
    ):  # fmt: skip
        assert measured.unfair == {}
