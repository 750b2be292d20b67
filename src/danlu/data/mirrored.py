"""Whether pictures look alike when mirrored: where not, as with digits, a mirror image is another thing or nothing."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

# Sides, in pixels, that pictures are averaged to before they are compared: larger than most shifts within a class.
_SIDE = 16
_FEWEST = 100
# Of pictures that look alike when mirrored, half are closer to their class mirrored. Of photographs 0.52 were closer as
# they are, of clothes 0.78, of digits 0.95.
_MOST_OF_ALL = 0.6
# A class that differs by so many deviations of chance, and by so much, has a direction: ten of ten, or 90 of 139.
_DEVIATIONS, _MOST_OF_A_CLASS = 3.0, 0.65
_SIDES = re.compile(r"left|right|(anti|counter)?clockwise", re.IGNORECASE)


@dataclass(frozen=True)
class Mirrored:
    """Whether mirror images may be trained on. `why`: "alike", "sides", "character", "few", "class" or "all"; `name` is
    the class that speaks against it; `share` is that of the pictures which are closer to their class as they are.
    """

    alike: bool
    why: str
    name: str = ""
    share: float = 0.0


def mirrored(pictures: Tensor, labels: Tensor, classes: Sequence[str]) -> Mirrored:
    """Judge float pictures [N, C, H, W] of the training part, their classes int64 [N], and the names of the classes.

    A name that speaks of a side, or is a single letter or digit, rules it out. Else each picture is compared with the
    nearest other one of its class, as it is and mirrored: where a class has a direction, the first is nearer as a rule.

    >>> bars = torch.zeros(120, 1, 8, 8)
    >>> bars[:, :, :, :4] = torch.rand(120, 1, 8, 4, generator=torch.Generator().manual_seed(0))
    >>> mirrored(bars, torch.arange(120) % 2, ["cat", "dog"]).why
    'all'
    """
    for name in classes:
        if len(name) == 1 and name.isascii():
            return Mirrored(False, "character", name)
        if "左" in name or "右" in name or any(map(_SIDES.fullmatch, re.split(r"[\W\d_]+", name))):
            return Mirrored(False, "sides", name)
    closer = _closer(pictures, labels, len(classes))
    total = sum(trials for _, trials in closer)
    if total < _FEWEST:
        return Mirrored(False, "few")
    share = sum(wins for wins, _ in closer) / total
    for name, (wins, trials) in zip(classes, closer, strict=True):
        beyond_chance = wins - trials / 2 > _DEVIATIONS * math.sqrt(trials) / 2
        if beyond_chance and wins > _MOST_OF_A_CLASS * trials and share <= _MOST_OF_ALL:
            return Mirrored(False, "class", name, wins / trials)
    return Mirrored(share <= _MOST_OF_ALL, "alike" if share <= _MOST_OF_ALL else "all", share=share)


def _closer(pictures: Tensor, labels: Tensor, classes: int) -> list[tuple[int, int]]:
    """For each class, how many pictures are closer to another one of it as they are, and how many are so either way."""
    grey = pictures.mean(1, keepdim=True)
    if max(grey.shape[2:]) > _SIDE:
        grey = adaptive_avg_pool2d(grey, _SIDE)
    plain, turned = _directions(grey), _directions(grey.flip(3))
    found: list[tuple[int, int]] = []
    for label in range(classes):
        rows = torch.nonzero(labels == label).squeeze(1)
        if len(rows) < 2:
            found.append((0, 0))
            continue
        others = plain[rows]
        as_is, mirror = ((view[rows] @ others.T).fill_diagonal_(-math.inf).amax(1) for view in (plain, turned))
        wins, losses = int((as_is > mirror + 1e-6).sum()), int((as_is < mirror - 1e-6).sum())
        found.append((wins, wins + losses))
    return found


def _directions(grey: Tensor) -> Tensor:
    """Pictures as vectors of length 1 [N, pixels], so that brightness and contrast do not count."""
    flat = grey.flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    return flat / flat.norm(dim=1, keepdim=True).clamp_min(1e-6)
