"""A loss object that is named and never called."""

from typing import Any

import pytest
import torch
from torch import nn

import danlu
from danlu.watch.loss_facts import DeclaredLoss
from danlu.watch.measured import Measured
from danlu.watch.probes.declared import read_loss

LOSSES: dict[str, tuple[Any, DeclaredLoss | None]] = {
    "cross entropy": (nn.CrossEntropyLoss(), DeclaredLoss("CrossEntropyLoss", ignored=-100)),
    "padding": (nn.CrossEntropyLoss(ignore_index=0), DeclaredLoss("CrossEntropyLoss", ignored=0)),
    "weights": (nn.NLLLoss(torch.ones(3)), DeclaredLoss("NLLLoss", weighted=True, ignored=-100)),
    "positive weight": (
        nn.BCEWithLogitsLoss(pos_weight=torch.ones(1)),
        DeclaredLoss("BCEWithLogitsLoss", weighted=True),
    ),
    "squares": (nn.MSELoss(), DeclaredLoss("MSELoss")),
    "a function": (nn.functional.cross_entropy, None),
    "nothing": (None, None),
}


@pytest.mark.parametrize("kind", LOSSES)
def test_what_a_loss_object_tells(kind: str) -> None:
    loss, expected = LOSSES[kind]
    measured = Measured()
    read_loss(measured, loss)
    assert measured.declared == expected
    assert measured.labels.weighted == bool(expected and expected.weighted)


def rules(loss: Any) -> set[str]:
    """What is found where 19 of 20 targets are the class 0, and the loss is written by hand."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    generator = torch.Generator().manual_seed(1)
    with danlu.watch(model, optimizer, loss_fn=loss, shown=False) as watch:
        for _ in range(20):
            x = torch.randn(80, 4, generator=generator)
            y = torch.zeros(80, dtype=torch.long)
            y[:4] = torch.tensor([1, 2, 1, 2])
            optimizer.zero_grad()
            (-model(x).log_softmax(1)[torch.arange(80), y].mean()).backward()
            optimizer.step()
    return {finding.rule for finding in watch.findings}


def test_weights_and_ignored_targets_count_where_the_call_is_not_seen() -> None:
    assert "label-imbalance" in rules(None)
    assert "label-imbalance" in rules(nn.CrossEntropyLoss())
    assert "label-imbalance" not in rules(nn.CrossEntropyLoss(torch.tensor([0.1, 1.0, 1.0])))
    assert "label-imbalance" not in rules(nn.CrossEntropyLoss(ignore_index=0))


class Focal(nn.Module):
    """A loss of somebody's own."""

    def __init__(self, alpha: Any) -> None:
        super().__init__()
        self.alpha = alpha


@pytest.mark.parametrize(
    ("alpha", "weights"),
    [
        (torch.tensor([0.5, 2.0]), (0.5, 2.0)), ([0.5, 2.0, 1.0], (0.5, 2.0, 1.0)),
        (0.25, ()), (torch.tensor(0.25), ()), (torch.ones(2, 2), ()), (["a", "b"], ()),
    ],
)  # fmt: skip
def test_weights_of_the_classes_in_a_loss_of_ones_own(alpha: Any, weights: tuple[float, ...]) -> None:
    measured = Measured()
    read_loss(measured, Focal(alpha))
    assert (measured.labels.weights, measured.labels.weighted) == (weights, bool(weights))
