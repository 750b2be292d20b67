"""How right answers are that stand at each place of a sample: pixels of a picture, tokens of a text."""

from collections.abc import Sequence

from torch import Tensor

from danlu.base.records import Score
from danlu.train.class_counts import ClassCounts


class PlaceScores:
    """Scores of C classes over guesses and targets of one shape, int64; a target below 0 is none.

    "accuracy" is the share of places that are right. With `unions` (pixels) "miou" is the mean over the classes of the
    intersection over union (Jaccard's index), else (tokens) "f1" that of their F1; a class that neither the targets nor
    the guesses have does not count. By `names` each class has its own besides: "iou.cat".

    >>> import torch
    >>> scores = PlaceScores(2, unions=True)
    >>> scores.add(torch.tensor([[0, 0, 1, 1]]), torch.tensor([[0, 1, 1, -100]]))
    >>> scores.result()
    {'accuracy': 0.6666666666666666, 'miou': 0.5}
    """

    def __init__(self, classes: int, names: Sequence[str] = (), *, unions: bool) -> None:
        self._names = names
        self._unions = unions
        self._counts = ClassCounts(classes)

    def add(self, guesses: Tensor, targets: Tensor) -> None:
        known = targets >= 0
        self._counts.add(guesses[known], targets[known])

    def result(self) -> Score:
        right, guessed, there = self._counts.read()
        both = guessed + there
        met = both > 0
        each = right / (both - right).clamp(min=1) if self._unions else 2 * right / both.clamp(min=1)
        name, mean = ("iou", "miou") if self._unions else ("f1", "f1")
        total = float(there.sum())
        score = {"accuracy": float(right.sum()) / total if total else float("nan"), mean: float(each[met].mean())}
        for at, own in enumerate(self._names):
            if met[at]:
                score[f"{name}.{own}"] = float(each[at])
        return score
