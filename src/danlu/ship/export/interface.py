"""What goes into an exported net and what comes out, by name: made from the plain preprocessing, without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

from danlu.data.far_outside import Ranges
from danlu.data.table.fitted import CategoryColumn, FittedColumn, columns_from_plain
from danlu.data.tokens import END_OF_LINE, PADDING

Plain = Mapping[str, Any]
UNSEEN, MISSING = -1, -2
"""Codes of a category that the training part did not have, and of a missing one."""


@dataclass(frozen=True)
class Input:
    """One input: its `name` in the graph, its `dtype` as NumPy spells it ("object" for strings) and its `shape`, a
    number or the name of a size that may vary for each axis.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": "string" if self.dtype == "object" else self.dtype, "shape": [*self.shape]}


@dataclass(frozen=True)
class Interface:
    """The inputs and outputs of a net with this preprocessing (`plain`, as `danlu.data.plain` writes it). A `raw` one
    takes the codes of categories for their names, and gives the number of a class for its label.

    >>> column = {"type": "category", "name": "sex", "values": ["f", "m"], "missing": False}
    >>> plain = {"input": "table", "task": "regression", "encoder": {"columns": [column]}, "outputs": 1}
    >>> Interface(plain, raw=False).inputs
    (Input(name='sex', dtype='object', shape=('N',)),)
    """

    plain: Plain
    raw: bool = False

    @property
    def input(self) -> str:
        """What a sample is: "table", "numbers", "pictures" or "texts"."""
        return self.plain["input"]

    @property
    def task(self) -> str:
        return self.plain["task"]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return tuple(self.plain["sample_shape"])

    @cached_property
    def columns(self) -> tuple[FittedColumn, ...]:
        """Of a table."""
        return columns_from_plain(self.plain["encoder"]["columns"])

    @cached_property
    def ranges(self) -> Ranges | None:
        """Those of the training part's raw samples, where they were measured."""
        plain = self.plain["encoder"].get("ranges")
        return None if plain is None else Ranges.from_plain(plain)

    @property
    def cut_into(self) -> str:
        """What the tokens of texts are: "characters" or "words"."""
        return self.plain["vocabulary"]["kind"]

    @property
    def resizes(self) -> bool:
        """Whether pictures may be of any size, because the run's were brought to another one."""
        return self.input == "pictures" and self.plain["encoder"]["came_as"] is not None

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        if self.input == "table":
            names = _named([column.name for column in self.columns])
            return tuple(_of_column(name, column, self.raw) for name, column in zip(names, self.columns, strict=True))
        if self.input == "texts":
            return (Input("tokens", "int64", ("N", "T")),)
        if self.input == "pictures":
            channels, height, width = self.sample_shape
            sides = ("H", "W") if self.resizes else (height, width)
            # Bytes whose brightest is another than 255 are scaled from pictures of 0 to 255, and are then no bytes.
            dtype = "uint8" if self.plain["encoder"]["peak"] == 255 else "float32"
            return (Input("pictures", dtype, ("N", *sides) if channels == 1 else ("N", *sides, channels)),)
        standardised = self.plain["encoder"]["mean"] is not None
        return (Input("x", "float64" if standardised else "float32", ("N", *self.sample_shape)),)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The names of what comes out; a column that is called so already has the name."""
        if self.task == "classification":
            names = ("class" if self.raw else "label", "probabilities", "logits")
        elif self.task == "language":
            names = ("token" if self.raw else "label", "probabilities", "logits")
        else:
            names = ("value", "outputs")
        taken = {one.name for one in self.inputs}
        return tuple(_free(name, taken) for name in names)

    @cached_property
    def labels(self) -> "numpy.ndarray[Any, Any]":
        """What the numbers of classes, or of tokens, stand for: whole numbers, booleans, floats, else strings."""
        if self.task == "language":
            shown = {PADDING: "", END_OF_LINE: "\n"} if self.cut_into == "words" else {PADDING: ""}
            return numpy.array([shown.get(token, token) for token in self.plain["vocabulary"]["tokens"]], dtype=object)
        values = numpy.array(self.plain["target"]["classes"])  # as the run's own answers are made
        if values.dtype.kind in "bif" and values.dtype.itemsize <= 8:
            return values
        return numpy.array([str(value) for value in values.tolist()], dtype=object)

    @property
    def has_labels(self) -> bool:
        return self.task in ("classification", "language")

    def missing_mark(self, column: CategoryColumn) -> str:
        """The string that stands for a missing category: "", unless that is one of the categories."""
        return _free("", set(column.values), "missing")

    def codes(self, column: CategoryColumn) -> dict[str, int]:
        """The code of each category, and of the missing one; any other is `UNSEEN`."""
        return {**{value: place for place, value in enumerate(column.values)}, self.missing_mark(column): MISSING}

    def description(self) -> dict[str, Any]:
        """Inputs and outputs in plain words, for whoever reads the metadata of a file."""
        columns = [self._told(column) for column in self.columns] if self.input == "table" else []
        return {
            "inputs": [
                one.as_dict() | (columns[place] if columns else self._of_samples())
                for place, one in enumerate(self.inputs)
            ],
            "outputs": list(self.outputs),
            "labels_inside": self.has_labels and not self.raw,
            "strings_inside": self.input == "table" and not self.raw,
        }

    def _told(self, column: FittedColumn) -> dict[str, Any]:
        if isinstance(column, CategoryColumn):
            told: dict[str, Any] = {"column": column.name, "categories": list(column.values), "unseen": "any other"}
            mark = self.missing_mark(column)
            return told | ({"codes": self.codes(column), "unseen": UNSEEN} if self.raw else {"missing": mark})
        meaning = {"date": "days since 1970-01-01, UTC", "boolean": "0 or 1"}.get(column.kind, column.kind)
        offset = {"offset": str(column.offset), "means": f"{meaning}, minus the offset"} if column.offset else {}
        return {"column": column.name, "means": meaning, "missing": "NaN", **offset}

    def _of_samples(self) -> dict[str, Any]:
        if self.input == "texts":
            return {"means": "numbers of tokens in the vocabulary, 0 behind a text's end", "cut_into": self.cut_into}
        if self.input == "pictures":
            peak = self.plain["encoder"]["peak"]
            colours = "red, green, blue" if self.sample_shape[0] == 3 else f"{self.sample_shape[0]} channels"
            return {"means": f"pixels from 0 to {peak:g}; {colours}"}
        return {"means": "numbers as the training data had them"}


def _of_column(name: str, column: FittedColumn, raw: bool) -> Input:
    if isinstance(column, CategoryColumn):
        return Input(name, "int64" if raw else "object", ("N",))
    return Input(name, "float64", ("N",))


def _named(names: list[str]) -> list[str]:
    """Names that ONNX takes, each once: a column without a name gets its number."""
    taken = {name for name in names if name}
    given: list[str] = []
    for place, name in enumerate(names, start=1):
        given.append(name or _free(f"column {place}", taken))
        taken.add(given[-1])
    return given


def _free(name: str, taken: set[str], ending: str = "_") -> str:
    while name in taken:
        name += ending
    return name
