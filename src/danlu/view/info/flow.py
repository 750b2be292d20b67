"""Signal flow: how far activations spread and gradients reach, layer by layer and step by step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from danlu.store.records import LayersMeasured
from danlu.view.info.thin import finite

QUANTITIES = ("spread", "gradient", "update", "dead")
"""Standard deviation of a layer's output; norm of its gradient; norm of a step's change over that of the weight; share
of its units that are 0 for every sample."""

Grid = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class Flow:
    """`grids[quantity][layer][column]` at `steps[column]`; None where it was not measured, or was not finite."""

    layers: tuple[str, ...]
    steps: tuple[int, ...]
    grids: Mapping[str, Grid]


def flow(records: Iterable[LayersMeasured], most: int = 200) -> Flow:
    """The flow that records of a journal tell. Layers keep the order in which they were first named.

    A step told again, after a resume, replaces what was said of it and of later ones. Of more than `most` steps equally
    many in turn are left out, the first and the newest never.

    >>> flow([LayersMeasured(step=1, names=("a", "b"), gradient=[0.5, float("nan")])]).grids
    {'gradient': ((0.5,), (None,))}
    """
    told: dict[int, tuple[tuple[str, ...], LayersMeasured]] = {}
    names: tuple[str, ...] = ()
    for record in records:
        names = record.names or names
        if told and record.step <= next(reversed(told)):
            told = {earlier: entry for earlier, entry in told.items() if earlier < record.step}
        told[record.step] = (names, record)
    steps = _spaced(sorted(told), most)
    layers = tuple(dict.fromkeys(name for named, _ in told.values() for name in named))
    grids = {
        quantity: _grid([told[step] for step in steps], layers, quantity)
        for quantity in QUANTITIES
        if any(getattr(record, quantity) for _, record in told.values())
    }
    return Flow(layers, tuple(steps), grids)


def _grid(entries: Sequence[tuple[tuple[str, ...], LayersMeasured]], layers: Sequence[str], quantity: str) -> Grid:
    columns = [dict(zip(names, getattr(record, quantity) or (), strict=False)) for names, record in entries]
    return tuple(tuple(finite(column.get(layer)) for column in columns) for layer in layers)


def _spaced(steps: list[int], most: int) -> list[int]:
    if len(steps) <= most:
        return steps
    return [steps[round(at * (len(steps) - 1) / (most - 1))] for at in range(most)]
