"""Ranges of numeric settings, as they are typed behind --search: optim.lr=1e-4..1."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast, get_args

from danlu.base.errors import Faults, fail
from danlu.base.naming import spelled
from danlu.base.recipe import Recipe
from danlu.base.setting_keys import kind_of
from danlu.nets import names as net_names
from danlu.nets import option_kind
from danlu.study.factors import flat, keys_of

_WRITTEN = re.compile(r"\s*(?:(log|linear)\s*:)?\s*([^\s.][^\s]*?)\s*\.\.\s*(\S+)\s*")
# A range that spans more than this factor is searched by ratios, unless it says otherwise.
_WIDE = 10.0
# They decide what the members are judged by: scores at two values of them cannot be compared.
_JUDGES = ("data.validation", "data.test", "data.split_seed")


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may take: from `low` to `high`, both included, by ratios where `log`."""

    key: str
    low: float
    high: float
    log: bool
    whole: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def holds(self, value: object) -> bool:
        """Whether a setting's value lies inside."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def at(self, share: float) -> float:
        """The value at a share of the way from the lower end to the upper, 0 to below 1.

        >>> Range("optim.lr", 0.01, 1.0, log=True, whole=False).at(0.5)
        0.1
        """
        if self.whole:
            above = self.high + 1  # each whole number has a part of the way of its own
            return int(self.low * (above / self.low) ** share if self.log else self.low + share * (above - self.low))
        between = (self.high / self.low) ** share * self.low if self.log else self.low + share * (self.high - self.low)
        return self.rounded(between)

    def rounded(self, value: float) -> float:
        """A value with as many digits as a person would write, inside the range."""
        return int(value) if self.whole else min(max(float(f"{value:.3g}"), self.low), self.high)

    def __str__(self) -> str:
        return f"{self.key}={'log:' if self.log else 'linear:'}{self.low:g}..{self.high:g}"


def ranges_of(recipe: Recipe, space: Mapping[str, Any]) -> list[Range]:
    """The ranges with the full names of their settings. UserError with all that is wrong in them.

    A range is a pair (low, high) or a text "low..high"; "log:" or "linear:" in front says how it is searched, else a
    range of positive numbers that spans more than a factor of ten is searched by ratios.

    >>> [str(one) for one in ranges_of(Recipe(), {"lr": "1e-4..1", "momentum": (0.5, 0.99)})]
    ['optim.lr=log:0.0001..1', 'optim.momentum=linear:0.5..0.99']
    """
    faults = Faults()
    found: dict[str, Range] = {}
    for name, written in space.items():
        with faults.gathered():
            one = _range(recipe, name, written)
            if one.key in found:
                faults.add("study.factor-twice", factor=one.key)
            found[one.key] = one
    if not space:
        faults.add("search.no-range")
    faults.raise_if_any()
    return list(found.values())


def _range(recipe: Recipe, name: str, written: object) -> Range:
    faults = Faults()
    read = _read(written)
    if read is None:
        faults.add("search.not-a-range", key=name, found=written)
        with faults.gathered():
            keys_of(recipe, {name: [1, 2]})  # a name that is wrong as well is told at once
        faults.raise_if_any()
    assert read is not None
    scale, low, high = read
    if low == high or low > high:
        faults.add("search.wrong-way-round", key=name, low=f"{low:g}", high=f"{high:g}")
        low, high = high, high + 1 if low == high else low
    if scale == "log" and low <= 0:
        faults.add("search.log-of-zero", key=name, low=f"{low:g}")
    key, whole = name, False
    with faults.gathered():
        key, whole = _numeric(recipe, name, low, high)
    faults.raise_if_any()
    return Range(key, low, high, scale == "log" or (not scale and low > 0 and high > _WIDE * low), whole)


def _numeric(recipe: Recipe, name: str, low: float, high: float) -> tuple[str, bool]:
    """The full name of a setting that takes these two numbers, and whether it takes whole ones only."""
    (key,) = keys_of(recipe, {name: [low, high]})
    if key in _JUDGES:
        fail("search.changes-the-judge", key=key)
    whole = _whole(recipe, key)
    return (key, whole) if whole is not None else fail("search.not-numeric", key=key)


def _read(written: object) -> tuple[str, float, float] | None:
    """How it is searched ("": left open), and the ends."""
    if isinstance(written, Sequence) and not isinstance(written, str):
        ends, scale = list(cast(Sequence[object], written)), ""
    else:
        match = _WRITTEN.fullmatch(str(written))
        if match is None:
            return None
        scale, *ends = match.group(1) or "", match.group(2), match.group(3)
    numbers = [_number(end) for end in ends]
    if len(numbers) != 2 or None in numbers:
        return None
    low, high = cast(list[float], numbers)
    return scale, low, high


def _number(end: object) -> float | None:
    for kind in (int, float):
        try:
            return kind(cast(Any, end) if isinstance(end, str) or kind is float or isinstance(end, int) else "")
        except (TypeError, ValueError):
            continue
    return None


def _whole(recipe: Recipe, key: str) -> bool | None:
    """Whether a setting takes whole numbers only; None where it takes none at all."""
    section, _, name = key.partition(".")
    kind = kind_of(section, name)
    if section == "net" and kind is None:
        net = flat(recipe)["net.name"]
        kind = option_kind(net, name) if spelled(net, net_names()) else None
    kinds = {kind, *get_args(kind)}
    return False if float in kinds else True if int in kinds else None
