"""How right answers are of which a sample may have several at once: F1, mean average precision, subset accuracy."""

from collections.abc import Sequence

import torch
from torch import Tensor

from danlu.base.records import Score
from danlu.train.ranking import average_precision, run_ends


class LabelScores:
    """Scores of L labels over logits [N, L] and targets 0 or 1, by scikit-learn's definitions.

    "f1" is the mean of the labels' own (macro), "f1_micro" that of all decisions together, "map" the mean of the
    labels' average precision, "subset_accuracy" the share of samples with exactly the right labels. A label that is
    nowhere has an F1 and an average precision of 0. Decisions go by `thresholds` of the probabilities, [L] (0.5).

    >>> scores = LabelScores(2)
    >>> scores.add(torch.tensor([[1.0, -1.0], [-2.0, 3.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
    >>> {name: round(value, 3) for name, value in scores.result().items()}
    {'f1': 0.833, 'f1_micro': 0.8, 'map': 1.0, 'subset_accuracy': 0.5}
    """

    def __init__(self, labels: int, thresholds: Tensor | None = None, names: Sequence[str] = ()) -> None:
        self._thresholds = torch.full((labels,), 0.5, dtype=torch.float64) if thresholds is None else thresholds
        self._names = names
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        self._outputs.append(outputs.detach().cpu().double().sigmoid())
        self._targets.append(targets.detach().cpu() > 0)

    def result(self) -> Score:
        probabilities, there = torch.cat(self._outputs), torch.cat(self._targets)
        given = probabilities >= self._thresholds
        right = (given & there).sum(0).double()
        either = (given.sum(0) + there.sum(0)).double()
        each = 2 * right / either.clamp(min=1)
        found = zip(probabilities.T, there.T, strict=True)
        precisions = torch.tensor([average_precision(*label) for label in found], dtype=torch.float64)
        score = {
            "f1": float(each.mean()),
            "f1_micro": float(2 * right.sum() / either.sum().clamp(min=1)),
            "map": float(precisions.mean()),
            "subset_accuracy": float((given == there).all(1).double().mean()),
        }
        for at, name in enumerate(self._names):
            score |= {f"f1.{name}": float(each[at]), f"map.{name}": float(precisions[at])}
        return score


def best_threshold(probabilities: Tensor, there: Tensor) -> float | None:
    """The probability from which on a label is given so that F1 is largest, halfway between two samples; of several
    the nearest to 0.5. None where the label is never there.

    >>> best_threshold(torch.tensor([0.125, 0.25, 0.5, 0.75]), torch.tensor([False, False, True, True]))
    0.375
    """
    if not there.any():
        return None
    ordered, order = probabilities.sort(descending=True, stable=True)
    last = run_ends(ordered)
    hits = there[order].double().cumsum(0)[last]
    f1 = 2 * hits / (last + 1 + there.sum())
    below = torch.cat([ordered, ordered.new_zeros(1)])[last + 1]
    halfway = (ordered[last] + below) / 2
    best = halfway[f1 >= f1.max() - _SAME]
    return float(best[(best - 0.5).abs().argmin()])


_SAME = 1e-12
