"""The data of a playground: points in a plane, and the grid of places that nets are asked about."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import Fault, UserError, fail
from danlu.base.naming import listed
from danlu.data import Dataset, load
from danlu.data.catalogue import known, shapes
from danlu.data.memory import MemoryDataset
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import NumberColumn
from danlu.lab.play.settings import Chosen

SIDE = 40
"""Places of the grid along each axis."""
VALIDATION = 0.3
"""Share that judges: a larger one than for a single training, because small differences are asked about."""
MOST_TRAINED = 2_000
_FEWEST_TRAINED, _FEWEST_JUDGED = 20, 10
_MOST_SHOWN = 400  # points of each part
_MARGIN = 0.08  # of the range of the points, on each side
_MOST_LISTED = 20


@dataclass(frozen=True)
class PlaneAxis:
    """A column, and the stretch of it that is shown, in its own unit."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Plane:
    """Data with two columns of numbers. `grid` float32 [SIDE², features] are the places, from the top row down, as nets
    take them; `classes` are what a net can say, of a regression above and below the mean ("" each).

    `points` are rows of x, y, class and whether the point is held out, in the unit of the axes; the test part is not
    among them.
    """

    data: Dataset
    axes: tuple[PlaneAxis, PlaneAxis]
    grid: Tensor
    classes: tuple[str, ...]
    points: tuple[tuple[float, float, int, bool], ...]


class PlaneSource:
    """What a playground's data come from: a name, or a table's path, with two of its columns."""

    def __init__(self, source: str | Path | None, target: str | None, columns: Sequence[str] | None) -> None:
        self.source = shapes()[0] if source is None else source
        if isinstance(source, str):
            self.source = known(source) or source
        self.shape = self.source if isinstance(self.source, str) and self.source in shapes() else None
        if self.shape is not None and (target, columns) != (None, None):
            fail("play.shape-columns", name=self.shape)
        self._target, self._columns = target, columns
        self._held: tuple[Any, Plane] | None = None

    @property
    def called(self) -> str:
        """What it is called where it is shown."""
        return Path(self.source).name

    def key(self, chosen: Chosen) -> tuple[Any, ...]:
        """What tells these data from others: scores on other data are not to be compared."""
        return (chosen.get("shape"), chosen.get("noise"))

    def plane(self, chosen: Chosen) -> Plane:
        """The data as chosen; the same object as long as the same are. UserError for data that are no such."""
        key = self.key(chosen)
        if self._held is None or self._held[0] != key:
            self._held = key, self._made(chosen)
        return self._held[1]

    def _made(self, chosen: Chosen) -> Plane:
        if self.shape is not None:
            return _plane(load(chosen["shape"], noise=chosen["noise"], validation=VALIDATION))
        how: dict[str, Any] = {"target": self._target, "columns": self._columns, "validation": VALIDATION}
        data = load(self.source, **how)
        return _plane(load(self.source, samples=MOST_TRAINED, **how) if data.sizes["train"] > MOST_TRAINED else data)


def _plane(data: Dataset) -> Plane:
    if not isinstance(data, MemoryDataset) or data.on_disk or not isinstance(data.encoder, TableEncoder):
        fail("play.no-table", name=data.name)
    if data.task not in ("classification", "regression") or (data.task == "regression" and data.outputs != 1):
        fail("play.task", name=data.name)
    columns = _two_columns(data, data.encoder)
    train, validation = data.sizes["train"], data.sizes["validation"]
    if train < _FEWEST_TRAINED or validation < _FEWEST_JUDGED:
        fail("play.too-few", name=data.name, train=train, validation=validation, least=_FEWEST_TRAINED,
             held=_FEWEST_JUDGED)  # fmt: skip
    places = [data.encoder.features.index(column.name) for column in columns]
    x, y = data.x[: train + validation].double(), data.y[: train + validation]
    low, high = x[:, places].amin(0), x[:, places].amax(0)
    edge = _MARGIN * (high - low).clamp(min=1e-6)
    low, high = low - edge, high + edge
    even = torch.linspace(0, 1, SIDE, dtype=torch.float64)
    rows, cells = torch.meshgrid(1 - even, even, indexing="ij")
    grid = torch.zeros(SIDE * SIDE, len(data.encoder.features), dtype=torch.float64)
    grid[:, places[0]] = low[0] + cells.flatten() * (high - low)[0]
    grid[:, places[1]] = low[1] + rows.flatten() * (high - low)[1]
    axes = [
        PlaneAxis(column.name, _unit(column, float(low[at])), _unit(column, float(high[at])))
        for at, column in enumerate(columns)
    ]
    says = y if data.task == "classification" else (y.flatten() <= 0).long()
    shown = [*range(train)][:_MOST_SHOWN] + [*range(train, train + validation)][:_MOST_SHOWN]
    (first, second), (across, up) = columns, places
    points = tuple(
        (_unit(first, float(x[row, across])), _unit(second, float(x[row, up])), int(says[row]), row >= train)
        for row in shown
    )
    classes = data.classes if data.task == "classification" else ("", "")
    return Plane(data, (axes[0], axes[1]), grid.float(), classes, points)


def _two_columns(data: Dataset, encoder: TableEncoder) -> list[NumberColumn]:
    """The two columns of numbers that the data have. UserError where they have others, or not two."""
    numbers = [one for one in encoder.columns if isinstance(one, NumberColumn) and one.kind in ("number", "integer")]
    others = [one.name for one in encoder.columns if one not in numbers]
    if len(numbers) == 2 and not others:
        return numbers
    facts = {"name": data.name, "numbers": listed([one.name for one in numbers], _MOST_LISTED) or "-"}
    wrong = Fault("play.not-two-numbers", facts)
    if others:
        wrong = Fault("play.others-than-numbers", {**facts, "others": listed(others, _MOST_LISTED)})
    left_out = [note for note in data.notes if note.id.startswith("data.dropped-")]
    raise UserError(wrong, *left_out)


def _unit(column: NumberColumn, value: float) -> float:
    return value * column.scale + column.mean + column.offset
