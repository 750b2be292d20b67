"""What is typed behind `danlu compare`, read and checked."""

import argparse
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.errors import Fault, Faults

_LONGEST = 100


@dataclass(frozen=True)
class StudyNumbers:
    """How often each combination is trained, the largest difference that counts as none, and on how many processes."""

    seeds: int | Sequence[int]
    folds: int
    margin: float | None
    jobs: int | None


@dataclass(frozen=True)
class StudyArguments:
    """The factors with their levels, and the numbers of a study."""

    vary: dict[str, list[Any]]
    numbers: StudyNumbers
    baselines: Sequence[str]


def study_arguments(arguments: argparse.Namespace) -> StudyArguments:
    """Read --vary, --seeds, --folds, --margin and --baselines; UserError with all that cannot be read."""
    faults = Faults()
    vary: dict[str, list[Any]] = {}
    for word in arguments.vary or ():
        key, equals, levels = word.partition("=")
        if not equals or not levels.strip():
            faults.add("cli.vary-without-levels", word=word)
        elif key.strip() in vary:
            faults.add("study.factor-twice", factor=key.strip())
        else:
            vary[key.strip().replace("-", "_") if "." in key else key.strip()] = read_levels(levels)
    numbers = StudyNumbers([10], 1, None, None)
    with faults.gathered():
        numbers = study_numbers(arguments, seeds=10)
    faults.raise_if_any()
    baselines = [name.strip() for name in (arguments.baselines or "").split(",") if name.strip()]
    return StudyArguments(vary, numbers, baselines)


def study_numbers(arguments: argparse.Namespace, seeds: int) -> StudyNumbers:
    """Read --seeds, --folds, --margin and --jobs; UserError with all that cannot be read. `seeds` is what is usual."""
    faults = Faults()
    numbers = read_numbers(arguments.seeds, "--seeds", faults) or [seeds]
    folds = read_numbers(arguments.folds, "--folds", faults) or [1]
    margin = None
    if arguments.margin is not None:
        try:
            margin = float(arguments.margin)
        except ValueError:
            faults.add("cli.not-a-number", option="--margin", found=arguments.margin)
    if len(folds) > 1 or folds[0] < 1:
        faults.add("cli.not-a-number", option="--folds", found=arguments.folds)
    jobs = read_jobs(arguments.jobs, faults)
    faults.raise_if_any()
    return StudyNumbers(numbers[0] if len(numbers) == 1 else numbers, folds[0], margin, jobs)


def levels_without_vary(settings: Sequence[str]) -> list[Fault]:
    """A hint for each setting that names several levels, as only --vary takes them.

    >>> [fault.values["word"] for fault in levels_without_vary(["optim.lr=0.1,0.2", "train.epochs=3"])]
    ['optim.lr=0.1,0.2']
    """
    several = [word for word in settings if len(read_levels(word.partition("=")[2])) > 1]
    return [Fault("cli.levels-without-vary", {"word": word}) for word in several]


def read_levels(text: str) -> list[Any]:
    """Levels with commas between them, each as TOML has it, else a string; commas within brackets count for a level.

    >>> read_levels("0.01,0.1"), read_levels("relu, sigmoid"), read_levels("[64],[64, 32]")
    ([0.01, 0.1], ['relu', 'sigmoid'], [[64], [64, 32]])
    """
    words, depth = [""], 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        if sign == "," and depth == 0:
            words.append("")
        else:
            words[-1] += sign
    return [_value(word.strip()) for word in words if word.strip()]


def _value(word: str) -> Any:
    try:
        return tomllib.loads(f"value = {word}")["value"]
    except tomllib.TOMLDecodeError:
        return word


def read_jobs(text: str | None, faults: Faults) -> int | None:
    """The number of processes behind --jobs, None where none is given; a fault where it is none."""
    if text is None:
        return None
    jobs = whole_in(text)
    if jobs is None:
        faults.add("cli.not-a-number", option="--jobs", found=text[:_LONGEST])
    return jobs


def whole_in(text: str) -> int | None:
    """The whole number that a word is, None where it is none, or has more digits than any number that can be meant.

    >>> whole_in("12"), whole_in("1e3"), whole_in("9" * 5000)
    (12, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST else None


def read_numbers(text: str | None, option: str, faults: Faults) -> list[int]:
    """Whole numbers with commas between them; none where nothing was given, and a fault where they are none.

    >>> read_numbers("0,1,2", "--seeds", Faults())
    [0, 1, 2]
    """
    if text is None:
        return []
    numbers = [whole_in(word.strip()) for word in text.split(",")]
    found = [number for number in numbers if number is not None]
    if len(found) < len(numbers):
        faults.add("cli.not-a-number", option=option, found=text[:_LONGEST])
        return []
    return found
