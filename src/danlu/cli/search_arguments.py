"""What is typed behind `danlu lr-find`, read and checked."""

import argparse
from typing import Any

from danlu.base.errors import Faults


def range_test_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    """The numbers of a range test that were given; UserError with all that cannot be read."""
    faults = Faults()
    kinds: dict[str, type[float] | type[int]] = {"lowest": float, "highest": float, "points": int, "steps": int}
    given = {key: read_number(getattr(arguments, key), kind, f"--{key}", faults) for key, kind in kinds.items()}
    faults.raise_if_any()
    return {key: number for key, number in given.items() if number is not None}


def read_number(text: str | None, kind: type[float] | type[int], option: str, faults: Faults) -> float | int | None:
    """The number behind an option, None where it was not given; a fault where it is none.

    >>> read_number("1e-6", float, "--lowest", Faults())
    1e-06
    """
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        faults.add("cli.not-a-number", option=option, found=text)
        return None
