"""Targets of which a sample may have several at once, or none: labels that are on or off, each for itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, fail
from danlu.data.label_cells import labels_in


@dataclass(frozen=True)
class LabelSets:
    """The labels of a multi-label target, in the order of the outputs, in their original type.

    A sample has those labels whose probability reaches their threshold (0.5 where `thresholds` is empty). In a file
    they stand in one cell, `separator` between them, or in a column each where `in_columns`.

    >>> LabelSets(("red", "round"), (0.5, 0.9)).decode(torch.tensor([[1.0, 1.0], [-1.0, 3.0]])).tolist()
    [['red'], ['round']]
    """

    task: ClassVar[str] = "multi-label"
    values: tuple[str | int, ...]
    thresholds: tuple[float, ...] = ()
    separator: str = ";"
    in_columns: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(str(value) for value in self.values)

    @property
    def outputs(self) -> int:
        return len(self.values)

    @property
    def least(self) -> Tensor:
        """The probability from which on a label is given: float64 [outputs]."""
        return torch.tensor(self.thresholds or (0.5,) * self.outputs, dtype=torch.float64)

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any]":
        """Logits [N, outputs] as an object array [N] of lists of labels."""
        return self.members(outputs.detach().cpu().double().sigmoid() >= self.least)

    def members(self, flags: Tensor) -> "numpy.ndarray[Any, Any]":
        """What is on, [N, outputs], as an object array [N] of lists of labels."""
        found = numpy.empty(len(flags), dtype=object)
        for row, own in enumerate(flags.tolist()):
            found[row] = [value for value, on in zip(self.values, own, strict=True) if on]
        return found

    def facts(self) -> dict[str, Any]:
        return {"classes": list(self.names)}


def flags_of_array(raw: "numpy.ndarray[Any, Any]", place: Fault | str) -> tuple[Tensor, LabelSets]:
    """An array [N, L] of booleans, or of 0 and 1, as float64 [N, L] with its columns' numbers for labels."""
    if raw.ndim != 2 or raw.shape[1] < 2 or raw.dtype.kind not in "biuf" or not numpy.isin(raw, (0, 1)).all():
        fail("data.flags-wanted", place=place, found=f"{raw.dtype} {list(raw.shape)}")
    return torch.from_numpy(raw.astype(numpy.float64)), LabelSets(tuple(range(raw.shape[1])))


def is_flags(raw: "numpy.ndarray[Any, Any]") -> bool:
    """Whether an array is one of several labels a sample: [N, L > 1] of booleans, or of whole numbers 0 and 1."""
    return raw.ndim == 2 and raw.shape[1] > 1 and raw.dtype.kind in "biu" and bool(numpy.isin(raw, (0, 1)).all())


def flags_of_cells(cells: Sequence[str], separator: str, place: Fault | str) -> tuple[Tensor, LabelSets]:
    """Cells of labels as float64 [N, L], the labels in alphabetical order."""
    found = [labels_in(cell, separator) for cell in cells]
    labels = sorted({label for own in found for label in own})
    if len(labels) < 2:
        fail("data.labels-too-few", place=place, found=", ".join(labels) or "-")
    numbers = {label: number for number, label in enumerate(labels)}
    flags = torch.zeros(len(cells), len(labels), dtype=torch.float64)
    for row, own in enumerate(found):
        flags[row, [numbers[label] for label in own]] = 1.0
    return flags, LabelSets(tuple(labels), separator=separator)


def unmet(y: Tensor, target: LabelSets, count: int) -> tuple[Fault, ...]:
    """What is to be told of labels that none of the first `count` samples, the training part, has; and of samples that
    have one label each.
    """
    never = [name for name, times in zip(target.names, y[:count].sum(0).tolist(), strict=True) if not times]
    told = [Fault("data.labels-never", {"labels": ", ".join(never)})] if never else []
    if bool((y.sum(1) == 1).all()):
        told.append(Fault("data.labels-one-each"))
    return tuple(told)
