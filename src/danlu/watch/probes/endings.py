"""What a value is taught where an episode ends, in numbers: the reward alone, if what comes next counts for nothing."""

import re
from collections.abc import Iterable
from typing import Any

import numpy
import torch

from danlu.watch.frames import held_under_way
from danlu.watch.measured import Measured
from danlu.watch.probes.code_words import REWARD
from danlu.watch.tracing import unreadable

_ENDS = re.compile(r"done|termin|^d$|^ds$|^ends?$|^over|mask|alive|going|^not_|^cont", re.IGNORECASE)
_TAUGHT = re.compile(r"target|returns?$|^rets?$|expect|backup|bellman|^y$|^td", re.IGNORECASE)
_NAMES = re.compile(f"{REWARD.pattern}|{_ENDS.pattern}|{_TAUGHT.pattern}", re.IGNORECASE)
_FEWEST, _MOST = 8, 65_536  # numbers of a batch
_MOST_ENDS = 0.4  # of a batch: what is rarer of going on and ending is the end
_SAME = 1e-5  # of the largest number
_MOST_STEPS, _MOST_BARE = 64, 6  # looked at; and of these at first without any rewards


class EndingsProbe:
    """Finds rewards and flags of ends among the variables around a loss, and compares them with its targets."""

    writes = ("rewarded",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._steps = self._bare = 0
        self._at = 0  # the step that was counted last

    def met(self, kind: str, targets: torch.Tensor | None, step: int) -> None:
        """A loss was computed, or goes backwards; it has these targets, where it is known."""
        if kind not in ("", "numbers") or step == self._at or self._steps >= _MOST_STEPS or self._bare >= _MOST_BARE:
            return
        held = held_under_way(_NAMES)
        rewards = arrays_of(held, REWARD)
        if not rewards:
            self._bare += not self._steps
            return
        flags = [one for one in arrays_of(held, _ENDS) if _are_flags(one)]
        taught = arrays_of([("target", targets), *held], _TAUGHT)
        counts = [
            found
            for reward in rewards for flag in flags for target in taught
            if reward.numel() == flag.numel() == target.numel() and (found := _count(reward, flag, target))
        ]  # fmt: skip
        if counts:
            self._steps, self._at = self._steps + 1, step
            known = self._measured.rewarded
            for name, number in max(counts, key=lambda one: one["exact"] / one["ends"]).items():
                setattr(known, name, getattr(known, name) + number)


def _count(reward: torch.Tensor, flag: torch.Tensor, target: torch.Tensor) -> dict[str, int]:
    """Of one batch: its ends, those whose target is the reward alone, those whose reward was cleared away, and how
    often the target is the reward alone elsewhere; nothing where no end is in it."""
    ends = flag == (1 if float(flag.mean()) <= 0.5 else 0)
    share = float(ends.double().mean())
    if not 0 < share <= _MOST_ENDS or abs(float(target.mean())) + abs(float(target.std()) - 1) < 0.05:
        return {}
    exact = (target - reward).abs() <= _SAME * max(1.0, float(reward.abs().max()))
    rewarded = ends & (reward.abs() > _SAME)
    return {
        "ends": int(ends.sum()),
        "exact": int((exact & ends).sum()),
        "others": int((~ends).sum()),
        "plain": int((exact & ~ends).sum()),
        "rewarded": int(rewarded.sum()),
        "cleared": int((rewarded & (target.abs() <= _SAME)).sum()),
    }


def arrays_of(held: Iterable[tuple[str, Any]], names: re.Pattern[str]) -> list[torch.Tensor]:
    """The arrays of that name as numbers in one row."""
    found = [_array(value) for name, value in held if names.search(name)]
    return [one for one in found if one is not None]


def _array(value: Any) -> torch.Tensor | None:
    if isinstance(value, list | tuple) and 0 < len(value) <= _MOST:
        parts = [one for one in value if isinstance(one, torch.Tensor) and not unreadable(one) and one.is_cpu]
        if len(parts) != len(value) or len({one.shape for one in parts}) > 1:
            return None
        value = torch.stack([one.detach() for one in parts])
    if isinstance(value, numpy.ndarray) and value.dtype.kind in "fbiu" and value.size:
        value = torch.as_tensor(value)
    if not isinstance(value, torch.Tensor) or unreadable(value) or not value.is_cpu or value.is_complex():
        return None
    return value.detach().flatten().double() if _FEWEST <= value.numel() <= _MOST else None


def _are_flags(numbers: torch.Tensor) -> bool:
    return bool(((numbers == 0) | (numbers == 1)).all())
