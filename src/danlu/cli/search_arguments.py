"""What is typed behind `danlu lr-find` and `danlu compare --search`, read and checked."""

import argparse
from typing import Any

from danlu.base.errors import Faults, fail
from danlu.cli.study_arguments import read_jobs, read_numbers


def range_test_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    """The numbers of a range test that were given; UserError with all that cannot be read."""
    faults = Faults()
    kinds: dict[str, type[float] | type[int]] = {"lowest": float, "highest": float, "points": int, "steps": int}
    given = {key: read_number(getattr(arguments, key), kind, f"--{key}", faults) for key, kind in kinds.items()}
    faults.raise_if_any()
    return {key: number for key, number in given.items() if number is not None}


_OF_STUDIES = ("vary", "margin", "baselines", "share_order")
_OF_SEARCHES = ("trainings", "minutes")


def search_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    """The ranges and the budget of a search; UserError with all that cannot be read, or has no place in a search."""
    faults = Faults()
    space: dict[str, str] = {}
    for word in arguments.search:
        key, equals, ends = word.partition("=")
        if not equals or not ends.strip():
            faults.add("cli.search-without-range", word=word)
        elif key.strip() in space:
            faults.add("study.factor-twice", factor=key.strip())
        else:
            space[key.strip().replace("-", "_") if "." in key else key.strip()] = ends.strip()
    others = [f"--{name.replace('_', '-')}" for name in _OF_STUDIES if getattr(arguments, name)]
    if others:
        faults.add("cli.not-with-search", options=", ".join(others))
    seeds = read_numbers(arguments.seeds, "--seeds", faults) or [1]
    folds = read_numbers(arguments.folds, "--folds", faults) or [1]
    if len(folds) > 1 or folds[0] < 1:
        faults.add("cli.not-a-number", option="--folds", found=arguments.folds)
    trainings = read_number(arguments.trainings, int, "--trainings", faults)
    minutes = read_number(arguments.minutes, float, "--minutes", faults)
    jobs = read_jobs(arguments.jobs, faults)
    faults.raise_if_any()
    asked = {"space": space, "seeds": seeds[0] if len(seeds) == 1 else seeds, "folds": folds[0], "minutes": minutes}
    asked["jobs"] = jobs
    return asked if trainings is None else {**asked, "trainings": trainings}


def refuse_budget(arguments: argparse.Namespace) -> None:
    """UserError for the budget of a search where nothing is searched."""
    given = [f"--{name}" for name in _OF_SEARCHES if getattr(arguments, name) is not None]
    if given:
        fail("cli.only-with-search", options=", ".join(given))


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
        faults.add("cli.not-a-number", option=option, found=text[:100])
        return None
