"""How the trainings of a study came on: for each level of a factor their mean, epoch by epoch, with its interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.store.study_history import Row, StackCurves
from danlu.view.info.bands import CurveBand, band_of
from danlu.view.info.effects import level_text


@dataclass(frozen=True)
class LevelCurve:
    """The trainings at one level of a factor, over all seeds and folds."""

    level: str
    trainings: int
    train: CurveBand
    validation: Mapping[str, CurveBand]  # by the name of the score; what was measured once only is no curve


@dataclass(frozen=True)
class FactorCurves:
    """How the trainings at each level of `factor` came on, all other factors being at the levels `others`: their first
    ones, with which a study compares."""

    factor: str
    others: Mapping[str, Any]
    levels: tuple[LevelCurve, ...]


def factor_curves(stacks: Sequence[StackCurves], factors: Mapping[str, Sequence[Any]], factor: str) -> FactorCurves:
    """A curve for each level of `factor` of which trainings have begun, in the order of the study's `factors`.

    >>> stack = StackCurves([{"lr": 0.1}], [(0, 0, 0), (0, 1, 0)], [1, 2], [[2.0, 4.0], [1.0, 3.0]], {})
    >>> factor_curves([stack], {"lr": [0.1, 0.2]}, "lr").levels[0].train.mean
    (3.0, 2.0)
    """
    others = {name: levels[0] for name, levels in factors.items() if name != factor and levels}
    columns = _columns(stacks, factor, {name: level_text(level) for name, level in others.items()})
    found: list[LevelCurve] = []
    for text in dict.fromkeys(map(level_text, factors[factor])):
        own = columns.get(text, {})
        count = sum(len(places) for places in own.values())
        if not count:
            continue
        folds = len({stacks[number].members[place][2] for number, places in own.items() for place in places})
        names = dict.fromkeys(name for number in own for name in stacks[number].validation)
        bands = {name: _band(_courses(stacks, own, name), folds) for name in names}
        train = _band(_courses(stacks, own, None), folds)
        found.append(LevelCurve(text, count, train, {name: band for name, band in bands.items() if len(band) > 1}))
    return FactorCurves(factor, others, tuple(curve for curve in found if len(curve.train)))


_Columns = dict[int, list[int]]  # of each stack, by its number, the places of some of its members


def _columns(stacks: Sequence[StackCurves], factor: str, others: Mapping[str, str]) -> dict[str, _Columns]:
    """The places of the members at each level of `factor` that are at those levels of the `others`. One that stands in
    several stacks, because the first was too large for the memory, counts in the last of them."""
    newest: dict[tuple[str, int, int], tuple[int, int]] = {}
    texts = [[level_text(own.get(factor)) for own in stack.combinations] for stack in stacks]
    names = [[str(own) for own in stack.combinations] for stack in stacks]
    for number, stack in enumerate(stacks):
        wanted = [all(level_text(own.get(key)) == text for key, text in others.items()) for own in stack.combinations]
        for place, (combination, seed, fold) in enumerate(stack.members):
            if wanted[combination]:
                newest[names[number][combination], seed, fold] = number, place
    found: dict[str, _Columns] = {}
    for number, place in newest.values():
        text = texts[number][stacks[number].members[place][0]]
        found.setdefault(text, {}).setdefault(number, []).append(place)
    return found


def _courses(stacks: Sequence[StackCurves], own: _Columns, score: str | None) -> list[dict[int, float | None]]:
    """Of each member at those places its numbers by epoch: of a score, or of the training loss."""
    found: list[dict[int, float | None]] = []
    for number, places in own.items():
        stack = stacks[number]
        rows: Sequence[Row | None] = stack.train if score is None else stack.validation.get(score, ())
        told = [(epoch, row) for epoch, row in zip(stack.epochs, rows, strict=False) if row is not None]
        found += ({epoch: row[place] for epoch, row in told} for place in places)
    return found


def _band(courses: Sequence[Mapping[int, float | None]], folds: int) -> CurveBand:
    epochs = sorted({epoch for course in courses for epoch in course})
    return band_of(epochs, [[course.get(epoch) for epoch in epochs] for course in courses], folds)
