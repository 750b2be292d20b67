"""How often each class was right, guessed, and there: what accuracy, F1 and intersection over union are made of."""

import torch
from torch import Tensor


class ClassCounts:
    """Counts over guesses and targets of one shape, int64; the three are float64 [C] when they are read.

    >>> counts = ClassCounts(2)
    >>> counts.add(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]))
    >>> [one.tolist() for one in counts.read()]
    [[1.0, 1.0], [1.0, 2.0], [2.0, 1.0]]
    """

    def __init__(self, classes: int) -> None:
        self._counts = torch.zeros(3, classes, dtype=torch.int64)

    def add(self, guesses: Tensor, targets: Tensor) -> None:
        guesses, targets = guesses.flatten(), targets.flatten()
        seen = (targets[guesses == targets], guesses, targets)
        classes = self._counts.shape[1]
        self._counts = self._counts.to(targets.device)
        self._counts += torch.stack([torch.bincount(labels, minlength=classes) for labels in seen])

    def read(self) -> tuple[Tensor, Tensor, Tensor]:
        """Of each class how often it was right, guessed and there."""
        right, guessed, there = self._counts.double().cpu()
        return right, guessed, there
