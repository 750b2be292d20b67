"""Checks of a net's constructor options, whose values may come from Python, from TOML or from a command line.

A constructor checks each option, keeps the result as an attribute of the same name, and asks for all faults at once.
"""

import math
from collections.abc import Collection, Iterable
from numbers import Real
from typing import Any, cast

from danlu.base.counts import as_found
from danlu.base.errors import Fault, Faults, nearest

WIDEST = 2**31 - 1
"""No layer is wider: torch itself counts the sides of many of them so far."""
MOST_LAYERS = 2000


class OptionCheck:
    """Gives each option its final type; `done` raises one UserError that names every option that does not fit.

    >>> check = OptionCheck()
    >>> check.count("classes", "10"), check.widths("hidden", [64, 32]), check.fraction("dropout", 0)
    (10, (64, 32), 0.0)
    >>> check.done()
    """

    def __init__(self) -> None:
        self.faults = Faults()

    def done(self) -> None:
        """Raise if any option did not fit."""
        self.faults.raise_if_any()

    def count(self, name: str, value: object, least: int = 1, most: int = WIDEST) -> int:
        """A whole number of at least 1, or of at least `least`, and at most `most`."""
        number = _whole(value)
        if number is None or number < least:
            self.refuse(name, value, Fault("nets.wanted-count", {"least": least}))
            return least
        if number > most:
            self.refuse(name, value, Fault("nets.wanted-at-most", {"most": f"{most:,}"}))
            return least
        return number

    def layers(self, name: str, value: object) -> int:
        """A number of layers: as `count`, and few enough for a net to be built of them."""
        return self.count(name, value, most=MOST_LAYERS)

    def widths(self, name: str, value: object) -> tuple[int, ...]:
        """Whole numbers of at least 1: one, or a list that may be empty, or "256,128" from a command line."""
        items = value.strip("[]() ").split(",") if isinstance(value, str) else value
        several = cast(Iterable[object], items if isinstance(items, list | tuple) else [items])
        numbers = [_whole(item) for item in several]
        if not all(numbers):
            self.refuse(name, value, Fault("nets.wanted-widths"))
        elif max(map(int, filter(None, numbers)), default=1) > WIDEST:
            self.refuse(name, value, Fault("nets.wanted-at-most", {"most": f"{WIDEST:,}"}))
        elif len(numbers) > MOST_LAYERS:
            self.refuse(name, value, Fault("nets.wanted-fewer", {"found": len(numbers), "most": f"{MOST_LAYERS:,}"}))
        else:
            return tuple(number or 1 for number in numbers)
        return (1,)

    def fraction(self, name: str, value: object) -> float:
        """A number of at least 0 and below 1."""
        number = number_in(value)
        if number is None or not 0 <= number < 1:
            self.refuse(name, value, Fault("nets.wanted-fraction"))
            return 0.0
        return number

    def choice(self, name: str, value: object, choices: Collection[str]) -> str:
        """One of the words `choices`, in any case, with "_" for "-" allowed."""
        word = value.lower().replace("_", "-") if isinstance(value, str) else ""
        if word not in choices:
            wanted = Fault("nets.wanted-one-of", {"choices": ", ".join(choices)})
            self.refuse(name, value, wanted, nearest(word, choices))
        return word

    def flag(self, name: str, value: object) -> bool:
        """True or false, or either word."""
        word = str(value).lower() if isinstance(value, str | bool) else ""
        if word not in ("true", "false"):
            self.refuse(name, value, Fault("nets.wanted-flag"))
        return word == "true"

    def number(self, name: str, value: object) -> float:
        """Any finite number."""
        found = number_in(value)
        if found is None:
            self.refuse(name, value, Fault("nets.wanted-number"))
        return found or 0.0

    def refuse(self, name: str, value: Any, wanted: Fault, hint: Fault | str = "") -> None:
        """Note that option `name` does not fit; `wanted` says what would."""
        self.faults.add("nets.bad-option", key=f"net.{name}", found=as_found(value), wanted=wanted, hint=hint)


def number_in(value: object) -> float | None:
    """`value` as a finite number where it is one or spells one; truth values are no numbers here.

    >>> number_in("0.5"), number_in(True)
    (0.5, None)
    """
    if isinstance(value, bool) or not isinstance(value, Real | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _whole(value: object) -> int | None:
    number = number_in(value)
    # Above 2^53 a float no longer tells neighbours apart, and no layer is that wide.
    return int(number) if number is not None and 0 <= number <= 2**53 and number == int(number) else None
