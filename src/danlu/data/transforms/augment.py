"""The transforms a recipe names, drawn anew in every epoch for every sample: data augmentation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from danlu.base.errors import Faults, fail, nearest
from danlu.base.ignored import IGNORED
from danlu.base.seeds import draw
from danlu.data.transforms.pictures import crop, cutout, flip, rotate

Drawn = Callable[[Tensor, int, Callable[[str, int], Tensor]], Tensor]
"""Pictures, amount, and what draws: draw(name, below) gives a whole number for each picture."""

# Angles are drawn in steps of a 65,536th of their range.
_ANGLES = 2**16


def _crop(pictures: Tensor, padding: int, draw: Callable[[str, int], Tensor]) -> Tensor:
    return crop(pictures, padding, draw("top", 2 * padding + 1), draw("left", 2 * padding + 1))


def _flip(pictures: Tensor, _: int, draw: Callable[[str, int], Tensor]) -> Tensor:
    return flip(pictures, draw("flip", 2) == 1)


def _rotation(pictures: Tensor, degrees: int, draw: Callable[[str, int], Tensor]) -> Tensor:
    return rotate(pictures, (draw("angle", _ANGLES + 1).float() / _ANGLES * 2 - 1) * degrees)


def _cutout(pictures: Tensor, side: int, draw: Callable[[str, int], Tensor]) -> Tensor:
    height, width = pictures.shape[2:]
    return cutout(pictures, side, draw("row", height), draw("column", width))


# The usual amount is worked out from the shorter side of the pictures.
_KNOWN: dict[str, tuple[Drawn, Callable[[int], int]]] = {
    "crop": (_crop, lambda side: max(1, side // 8)),
    "flip": (_flip, lambda side: 1),
    "rotation": (_rotation, lambda side: 15),
    "cutout": (_cutout, lambda side: max(1, side // 2)),
}
_HALF_TURN = 180
_MOVE_MASKS = ("crop", "flip")  # they move whole pixels, so that a class stays one


@dataclass(frozen=True)
class Augmentation:
    """Named transforms with their amounts, in the order they are done, or callables of the user's for one picture each.

    What is drawn for a sample depends on (seed, epoch, the sample's number) alone, not on its batch.
    """

    named: tuple[tuple[str, int], ...] = ()
    callables: tuple[Callable[[Any], Any], ...] = ()

    @classmethod
    def of(cls, given: Sequence[Any], sample_shape: tuple[int, ...]) -> "Augmentation | None":
        """From names such as "flip" or "crop:4" (the amount: pixels of padding or of the square's side, degrees each
        way), or callables; None where there are none. Raises UserError for what is neither, all of it at once.

        >>> Augmentation.of(["crop", "rotation:10"], (1, 32, 32)).named
        (('crop', 4), ('rotation', 10))
        """
        if not given:
            return None
        faults, side = Faults(), min(sample_shape[1:])
        callables = tuple(step for step in given if callable(step))
        if callables and len(callables) < len(given):
            faults.add("data.augment-mixed")
        named: list[tuple[str, int]] = []
        for step in given:
            if not callable(step):
                name, colon, amount = str(step).partition(":")
                if name not in _KNOWN:
                    faults.add("data.augment-unknown", found=step, wanted=", ".join(_KNOWN), hint=nearest(name, _KNOWN))
                elif colon and (name == "flip" or not (amount.isascii() and amount.isdigit() and int(amount))):
                    faults.add("data.augment-amount", found=step)
                elif colon and int(amount) > (limit := _HALF_TURN if name == "rotation" else side):
                    faults.add("data.augment-too-much", found=step, limit=limit)
                else:
                    named.append((name, int(amount) if colon else _KNOWN[name][1](side)))
        faults.raise_if_any()
        return cls(tuple(named), callables)

    def __call__(self, pictures: Tensor, samples: Tensor, seed: int, epoch: int) -> Tensor:
        """Pictures [B, C, H, W] of the samples numbered int64 [B], as they are seen in `epoch`."""
        for place, (name, amount) in enumerate(self.named):

            def drawn(what: str, below: int, place: int = place) -> Tensor:
                return draw(samples, below, seed, "augment", place, what, epoch)

            pictures = _KNOWN[name][0](pictures, amount, drawn)
        return pictures

    def masks(self, masks: Tensor, samples: Tensor, seed: int, epoch: int) -> Tensor:
        """Numbers of classes int64 [B, H, W], moved as the pictures of the same samples are; what comes in from outside
        has no class.
        """
        moved = self((masks - IGNORED).unsqueeze(1), samples, seed, epoch)
        return moved.squeeze(1) + IGNORED

    def refuse_for_masks(self) -> None:
        """UserError where a step is not known to move a mask along with its picture."""
        others = [name for name, _ in self.named if name not in _MOVE_MASKS]
        if self.callables or others:
            fail("data.augment-masks", found=", ".join(self.facts()), wanted=", ".join(_MOVE_MASKS))

    def facts(self) -> list[str]:
        """As a recipe names them; a callable by the name of its class."""
        own = [getattr(step, "__name__", type(step).__name__) for step in self.callables]
        return [name if name == "flip" else f"{name}:{amount}" for name, amount in self.named] + own
