"""Targets of which a sample has one at each place: a class for every pixel of a picture, a tag for every token."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, fail
from danlu.base.ignored import IGNORED
from danlu.base.naming import listed

_VOID = 255  # what the masks of most data sets have where nobody could tell
_UNLABELLED = (-1, IGNORED)
_MOST_CLASSES = 256
_MOST_TOLD = 20


@dataclass(frozen=True)
class PixelLabels:
    """The classes of a segmentation: `values` are what the pixels of a mask hold, in the order of the outputs, `titles`
    what they are called, where that is known. Pixels of a value in `left_out` have no class.

    >>> PixelLabels((0, 7)).decode(torch.tensor([[[0, 1]]])).tolist()
    [[[0, 7]]]
    """

    task: ClassVar[str] = "segmentation"
    values: tuple[int | bool, ...]
    titles: tuple[str, ...] = ()
    left_out: tuple[int, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return self.titles or tuple(str(value) for value in self.values)

    @property
    def outputs(self) -> int:
        return len(self.values)

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any]":
        """Numbers of classes int64 [N, H, W] as the values that masks have for them."""
        return numpy.array(self.values)[outputs.detach().cpu().numpy()]

    def encode(self, masks: "numpy.ndarray[Any, Any]") -> Tensor:
        """Masks [N, H, W] as numbers of classes, int64; what is no class is IGNORED.

        >>> PixelLabels((0, 7), left_out=(255,)).encode(numpy.array([[[7, 0, 255]]])).tolist()
        [[[1, 0, -100]]]
        """
        values = numpy.array(self.values)
        order = values.argsort(kind="stable")
        place = numpy.searchsorted(values[order], masks).clip(max=len(values) - 1)
        numbers = order[place]
        return torch.from_numpy(numpy.where(values[numbers] == masks, numbers, IGNORED).astype(numpy.int64))

    def facts(self) -> dict[str, Any]:
        return {"classes": list(self.names)}


@dataclass(frozen=True)
class TokenLabels:
    """The tags of a tagging, one a token, in the order of the outputs.

    >>> TokenLabels(("noun", "verb")).decode(torch.tensor([1, 0])).tolist()
    ['verb', 'noun']
    """

    task: ClassVar[str] = "tagging"
    values: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.values

    @property
    def outputs(self) -> int:
        return len(self.values)

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any]":
        """Numbers of tags, of any shape, as the tags themselves."""
        return numpy.array(self.values, dtype=object)[outputs.detach().cpu().numpy()]

    def facts(self) -> dict[str, Any]:
        return {"classes": list(self.names)}


PlaceLabels = PixelLabels | TokenLabels


def read_masks(
    raw: "numpy.ndarray[Any, Any]", place: Fault | str, titles: tuple[str, ...] = ()
) -> tuple[Tensor, PixelLabels]:
    """Masks [N, H, W] of whole numbers or booleans as numbers of classes, int64 with IGNORED, and what they mean.

    The distinct values are the classes, but for -1 and -100, and for 255 where two other values occur: such pixels have
    none. With `titles` the classes are 0, 1, 2, … as many as there are. UserError for masks that hold none or too many.
    """
    if raw.dtype.kind == "f" and (raw == raw.round()).all():
        raw = raw.astype(numpy.int64)
    if raw.ndim != 3 or raw.dtype.kind not in "biu":
        fail("data.masks-wanted", place=place, found=f"{raw.dtype} {list(raw.shape)}")
    found: list[Any] = numpy.unique(raw).tolist()
    none = [value for value in _UNLABELLED if value in found and raw.dtype.kind != "b"]
    classes = [value for value in found if value not in none]
    if len(classes) > _MOST_CLASSES:
        fail("data.masks-too-many", place=place, count=len(classes), most=_MOST_CLASSES)
    void = len(titles) <= _VOID if titles else len(classes) > 2
    if _VOID in classes and void and raw.dtype.kind != "b":
        classes.remove(_VOID)
        none.append(_VOID)
    if titles:
        strange = [value for value in classes if not 0 <= value < len(titles)]
        if strange:
            fail(
                "data.masks-beyond-names",
                place=place,
                found=listed(strange, _MOST_TOLD),
                count=len(titles),
                last=len(titles) - 1,
            )
        classes = list(range(len(titles)))
    if classes and classes[0] < 0:
        fail("data.masks-negative", place=place, found=classes[0])
    if len(classes) < 2:
        fail("data.masks-one-class", place=place, found=listed(classes, _MOST_TOLD) or "-")
    target = PixelLabels(tuple(classes), titles, tuple(none))
    return target.encode(raw), target


def told_of_masks(y: Tensor, target: PixelLabels, count: int) -> tuple[Fault, ...]:
    """What is to be told of masks as numbers of classes [N, H, W]: the classes, the pixels that have none, and classes
    that none of the first `count`, the training part, shows.
    """
    notes = [Fault("data.told-masks", {"count": target.outputs, "classes": listed(target.names, _MOST_TOLD)})]
    without = int((y == IGNORED).sum())
    if without:
        values = {"share": f"{100 * without / y.numel():.2g}", "values": listed(target.left_out, _MOST_TOLD)}
        notes.append(Fault("data.masks-left-out", values))
    seen = set(y[:count].unique().tolist())
    never = [name for number, name in enumerate(target.names) if number not in seen]
    if never:
        notes.append(Fault("data.masks-never", {"classes": listed(never, _MOST_TOLD)}))
    return tuple(notes)


def is_masks(raw: "numpy.ndarray[Any, Any]", samples: tuple[int, ...]) -> bool:
    """Whether an array of whole numbers or booleans is one of masks, [N, H, W] (or with an axis of 1 for a channel),
    beside samples of a shape that pictures have.

    >>> is_masks(numpy.zeros((5, 8, 8), dtype=int), (5, 3, 8, 8)), is_masks(numpy.zeros((5, 8), dtype=int), (5, 8, 8))
    (True, False)
    """
    flat = without_channel(raw)
    return raw.dtype.kind in "biu" and flat.ndim == 3 and min(flat.shape[1:]) > 1 and len(samples) in (3, 4)


def without_channel(raw: "numpy.ndarray[Any, Any]") -> "numpy.ndarray[Any, Any]":
    """Masks [N, 1, H, W] or [N, H, W, 1] as [N, H, W]; others as they are."""
    if raw.ndim == 4 and raw.shape[1] == 1:
        return raw[:, 0]
    return raw[..., 0] if raw.ndim == 4 and raw.shape[3] == 1 else raw
