"""What a target's numbers mean: labels of classes, or quantities with their unit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, fail
from danlu.data.label_sets import LabelSets, flags_of_array, is_flags
from danlu.data.place_labels import PixelLabels, PlaceLabels, TokenLabels, read_masks
from danlu.data.vocabulary import Vocabulary
from danlu.data.written_text import WrittenText

Label = str | int | float | bool
NOT_A_LABEL = ("nan", "NaN", "NaT", "<NA>")


@dataclass(frozen=True)
class Labels:
    """The classes of a classification target, in the order of their indices, in their original type.

    >>> Labels((-1, 1)).decode(torch.tensor([1, 0])).tolist()
    [1, -1]
    """

    task: ClassVar[str] = "classification"
    values: tuple[Label, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(str(value) for value in self.values)

    @property
    def outputs(self) -> int:
        return len(self.values)

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any]":
        return numpy.array(self.values)[outputs.detach().cpu().numpy()]

    def facts(self) -> dict[str, Any]:
        return {"classes": list(self.names)}


@dataclass(frozen=True)
class Quantities:
    """The targets of a regression: y stands for y * scale + mean in the target's own unit.

    `low` and `high` are the range of the training part's, where it is known. Answers of a `limited` one stay within it.
    `names` are those of several columns of a table. `naive` is, of a time series, the mean absolute error of the naive
    forecast on the training part, in the target's unit.

    >>> Quantities(mean=(10.0,), scale=(2.0,)).decode(torch.tensor([[1.0], [-1.0]])).tolist()
    [12.0, 8.0]
    >>> Quantities((10.0,), (2.0,), (9.0,), (11.0,), limited=True).decode(torch.tensor([[1.0], [-0.25]])).tolist()
    [11.0, 9.5]
    """

    task: ClassVar[str] = "regression"
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    limited: bool = False
    names: tuple[str, ...] = ()
    naive: float | None = None

    @property
    def outputs(self) -> int:
        return len(self.mean)

    @property
    def bounds(self) -> Tensor | None:
        """The least and the largest output that is answered with, standardised: float64 [2, outputs]; None: any is."""
        if not (self.limited and self.low):
            return None
        ends = torch.tensor((self.low, self.high), dtype=torch.float64)
        return (ends - torch.tensor(self.mean)) / torch.tensor(self.scale)

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any]":
        values = outputs.detach().cpu().double().numpy() * numpy.array(self.scale) + numpy.array(self.mean)
        if self.limited and self.low:
            values = values.clip(self.low, self.high)
        return values[..., 0] if self.outputs == 1 else values

    def facts(self) -> dict[str, Any]:
        names = {"targets": list(self.names)} if self.names else {}
        return {"target": {"mean": list(self.mean), "scale": list(self.scale)}, **names}


@dataclass(frozen=True)
class Tokens:
    """The target of a language model: the next token's number."""

    task: ClassVar[str] = "language"
    vocabulary: Vocabulary

    @property
    def outputs(self) -> int:
        return len(self.vocabulary)

    def decode(self, outputs: Tensor) -> str:
        return self.vocabulary.decode(outputs)

    def facts(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class Itself:
    """The target is the sample itself, flattened to `outputs` numbers."""

    task: ClassVar[str] = "reconstruction"
    outputs: int

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any]":
        return outputs.detach().cpu().numpy()

    def facts(self) -> dict[str, Any]:
        return {}


Target = Labels | LabelSets | PlaceLabels | Quantities | Tokens | WrittenText | Itself
CLASSED = (Labels, LabelSets, PixelLabels, TokenLabels)
"""The targets that are classes, labels or tags, with names."""

_MOST_NAMED = 20
_LONGEST = 100


def measured_by(target: Target, *, each: bool = False) -> dict[str, Any]:
    """What `danlu.train.metrics.Metrics` is to know of a target; `each`: for scores of each of several numbers or
    labels, up to 20, besides those of all.

    >>> measured_by(Quantities((0.0, 1.0), (1.0, 2.0)), each=True)["names"]
    ('1', '2')
    """
    told: dict[str, Any] = {"task": target.task, "outputs": target.outputs}
    if isinstance(target, Quantities):
        told |= {"scale": torch.tensor(target.scale, dtype=torch.float64), "bounds": target.bounds}
        told["naive"] = target.naive
        names = target.names or tuple(str(number) for number in range(1, target.outputs + 1))
    elif isinstance(target, LabelSets):
        told["thresholds"], names = target.least, target.names
    elif isinstance(target, PixelLabels | TokenLabels):
        names = target.names
    else:
        return told
    return told | ({"names": names} if each and 1 < len(names) <= _MOST_NAMED else {})


def unscaled(outputs: int) -> Quantities:
    """Targets in their own unit already."""
    return Quantities((0.0,) * outputs, (1.0,) * outputs)


def standardise_target(y: Tensor, count: int, names: tuple[str, ...] = ()) -> tuple[Tensor, Quantities]:
    """Regression targets float64 [N, outputs] by mean and deviation of the first `count`, the training part."""
    train = y[:count]
    mean = train.mean(0)
    scale = train.std(0, correction=0)
    scale = torch.where(scale > 0, scale, 1.0)
    low, high = tuple(train.amin(0).tolist()), tuple(train.amax(0).tolist())
    return (y - mean) / scale, Quantities(tuple(mean.tolist()), tuple(scale.tolist()), low, high, names=names)


def read_target(
    raw: "numpy.ndarray[Any, Any]", task: str, place: Fault | str
) -> tuple[Tensor, Labels | LabelSets | PixelLabels | Quantities]:
    """The target as a tensor, and what it means.

    Classification (text, booleans, whole numbers, or `task` says so): int64 [N] and the labels, which are 0..max where
    the data are whole numbers that start at 0, and the distinct values otherwise. Regression: float64 [N, outputs].
    Several labels a sample (booleans, or 0 and 1, [N, outputs]): float64 [N, outputs]. Segmentation: int64 [N, H, W].
    """
    refuse_missing(raw, place)
    if raw.dtype == object:
        refuse_mixed(raw.ravel().tolist(), place)
    if raw.dtype == object or raw.dtype.kind == "S":
        raw = numpy.array([_decoded(value) for value in raw.tolist()])
    if raw.dtype.kind not in "iufbUO":
        fail("data.labels-type", place=place, found=_shape_and_type(raw))
    if task in ("tagging", "translation"):
        fail("data.task-unfit", name=place, found=task, wanted="classification, regression, multi-label, segmentation")
    numeric = raw.dtype.kind in "iufb"
    if task == "auto":
        task = "regression" if raw.dtype.kind == "f" else "multi-label" if is_flags(raw) else "classification"
    if task == "multi-label":
        return flags_of_array(raw, place)
    if task == "segmentation":
        return read_masks(raw, place)
    if task == "regression":
        if raw.dtype.kind in "UO" and raw.ndim == 1:
            fail("data.target-text", place=place, found=str(raw[0])[:_LONGEST])
        if not numeric or raw.ndim not in (1, 2):
            fail("data.target-not-numbers", place=place, found=_shape_and_type(raw))
        y = torch.from_numpy(raw.astype(numpy.float64))
        y = y.reshape(len(y), -1)
        return y, unscaled(y.shape[1])
    if raw.ndim == 2 and raw.shape[1] == 1:
        raw = raw[:, 0]
    if raw.ndim != 1:
        fail("data.labels-shape", place=place, found=_shape_and_type(raw))
    return _classes(raw, place)


def refuse_mixed(values: Sequence[Any], place: Fault | str) -> None:
    """UserError where some labels are text and others are not: 1 and "1" would become one class."""
    kinds = {type(value).__name__ for value in values if isinstance(value, str) or not _is_gap(value)}
    text = any(isinstance(value, str) for value in values)
    if text and not all(isinstance(value, str) or _is_gap(value) for value in values):
        fail("data.labels-mixed", place=place, found=", ".join(sorted(kinds)))


def _is_gap(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _decoded(value: Any) -> Any:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value


def _classes(raw: "numpy.ndarray[Any, Any]", place: Fault | str) -> tuple[Tensor, Labels]:
    try:
        values, index = numpy.unique(raw, return_inverse=True)
    except TypeError:  # objects that have no order: dicts, say
        kinds = sorted({type(value).__name__ for value in raw.tolist()})
        fail("data.labels-type", place=place, found=", ".join(kinds))
    if len(values) < 2:
        fail("data.target-constant", place=place, value=values[0] if len(values) else "")
    if len(values) == len(raw) > 20:
        fail("data.all-labels-differ", place=place, count=len(raw))
    if raw.dtype.kind in "iu" and values[0] == 0 and values[-1] < len(raw):
        return torch.from_numpy(raw.astype(numpy.int64)), Labels(tuple(range(int(values[-1]) + 1)))
    return torch.from_numpy(index.astype(numpy.int64)), Labels(tuple(values.tolist()))


def text_classes(texts: Sequence[str], place: Fault | str) -> tuple[Tensor, Labels]:
    """The classes that texts name, and which each one is: int64 [N]. UserError where they cannot be classes.

    >>> text_classes(["b", "a", "b"], "y")
    (tensor([1, 0, 1]), Labels(values=('a', 'b')))
    """
    values = sorted(set(texts))
    if len(values) < 2:
        fail("data.target-constant", place=place, value="".join(values))
    if len(values) == len(texts) > 20:
        fail("data.all-labels-differ", place=place, count=len(texts))
    numbers = {value: number for number, value in enumerate(values)}
    found = numpy.fromiter((numbers[text] for text in texts), numpy.int64, len(texts))
    return torch.from_numpy(found), Labels(tuple(values))


def refuse_missing(
    raw: "numpy.ndarray[Any, Any]", place: Fault | str, at: Callable[[int], Fault] | None = None
) -> None:
    """Fail, with how many and the first row (`at` says where it stands), where a target is missing or not finite."""
    if raw.dtype == object:
        flat: Sequence[Any] = raw.tolist()
        missing = numpy.array([_is_gap(value) for value in flat])
    elif raw.dtype.kind == "U":
        # numpy writes a NaN among texts as a text.
        missing = numpy.isin(raw, NOT_A_LABEL).reshape(len(raw), -1).any(axis=1)
    elif raw.dtype.kind == "f":
        missing = ~numpy.isfinite(raw).reshape(len(raw), -1).all(axis=1)
    else:
        return
    if missing.any():
        row = int(missing.argmax())
        told = at(row) if at else Fault("data.at-row", {"row": row + 1})
        fail("data.target-missing", place=place, count=int(missing.sum()), at=told)


def _shape_and_type(raw: "numpy.ndarray[Any, Any]") -> str:
    return f"{raw.dtype} {list(raw.shape)}"
