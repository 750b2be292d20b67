"""Signal flow: how far activations spread and gradients reach, layer by layer and step by step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.base.strict_json import number
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


def flow(records: Iterable[Mapping[str, Any]], most: int = 200) -> Flow:
    """The flow that the journal's records of kind "layers" tell; other kinds are passed over.

    Such a record is {"kind": "layers", "step": 20, "names": ["conv1", …], "spread": […], "gradient": […], …}: lists
    parallel to the names, with null where nothing was measured; without names, those of the record before hold. Layers
    keep the order in which they were first named. A step told again, after a resume, replaces what was said of it and
    of later ones. Of more than `most` steps equally many in turn are left out, the first and the newest never.

    >>> record = {"kind": "layers", "step": 1, "names": ["a", "b"], "gradient": [0.5, "NaN"]}
    >>> flow([record]).grids
    {'gradient': ((0.5,), (None,))}
    """
    told: dict[int, Mapping[str, Any]] = {}
    names: list[str] = []
    for record in records:
        if record.get("kind") == "layers":
            names = [str(name) for name in record.get("names") or names]
            step = int(record["step"])
            if told and step <= next(reversed(told)):
                told = {earlier: entry for earlier, entry in told.items() if earlier < step}
            told[step] = {**record, "names": names}
    steps = _spaced(sorted(told), most)
    layers = tuple(dict.fromkeys(name for entry in told.values() for name in entry["names"]))
    grids = {
        quantity: _grid([told[step] for step in steps], layers, quantity)
        for quantity in QUANTITIES
        if any(entry.get(quantity) for entry in told.values())
    }
    return Flow(layers, tuple(steps), grids)


def _grid(entries: Sequence[Mapping[str, Any]], layers: Sequence[str], quantity: str) -> Grid:
    columns = [dict(zip(entry["names"], entry.get(quantity) or (), strict=False)) for entry in entries]
    return tuple(tuple(_cell(column.get(layer)) for column in columns) for layer in layers)


def _cell(value: Any) -> float | None:
    return None if value is None else finite(number(value))


def _spaced(steps: list[int], most: int) -> list[int]:
    if len(steps) <= most:
        return steps
    return [steps[round(at * (len(steps) - 1) / (most - 1))] for at in range(most)]
