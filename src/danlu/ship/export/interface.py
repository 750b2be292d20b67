"""What goes into an exported net and what comes out, by name: made from the plain preprocessing, without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy

from danlu.base.input_layout import InputLayout
from danlu.base.strict_json import number
from danlu.base.token_numbers import END
from danlu.data.far_outside import Ranges
from danlu.data.series.clock import Clock
from danlu.data.series.windows import WindowLayout
from danlu.data.table.columns import Sheet
from danlu.data.table.fitted import CategoryColumn, FittedColumn, NumberColumn, columns_from_plain
from danlu.data.tokens import END_OF_LINE, PADDING
from danlu.ship.text_columns import labelled_column, pair_columns

Plain = Mapping[str, Any]
UNSEEN, MISSING = -1, -2
"""Codes of a category that the training part did not have, and of a missing one."""
NO_TAG = -1
"""The number of what stands behind the end of a text that is tagged."""
_CELLS = ("table", "series")
_LOOKED_UP = {
    "classification": ("label", "class"),
    "translation": ("written", "numbers"),
    "language": ("label", "token"),
    "segmentation": ("mask", "class"),
    "tagging": ("tags", "class"),
}
"""The tasks whose answers are numbers of classes, with what the answer is called, and the number."""


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
        """What a sample is: "table", "series", "numbers", "pictures", "texts" or "several"."""
        kind: str = self.plain["input"]
        return "texts" if kind in ("sources", "column") else kind

    @property
    def texts_of_table(self) -> bool:
        """Whether the run's texts stood in a table."""
        return self.plain["input"] in ("column", "sources")

    @property
    def texts_by_file(self) -> bool:
        """Whether each of the run's texts was a file."""
        return self.plain["encoder"].get("by_file") is True

    def text_column(self, sheet: Sheet) -> str:
        """The column of a table that holds the texts. UserError where it is not found."""
        encoder = self.plain["encoder"]
        if self.plain["input"] == "column":
            return labelled_column(sheet, encoder["column"])
        return pair_columns(sheet, encoder["columns"])[0]

    @property
    def task(self) -> str:
        return self.plain["task"]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return tuple(self.plain["sample_shape"])

    @cached_property
    def columns(self) -> tuple[FittedColumn, ...]:
        """Of a table, or of the rows of a time series; none of other samples."""
        return columns_from_plain(self.plain["encoder"]["columns"]) if self.input in _CELLS else ()

    @cached_property
    def windows(self) -> WindowLayout:
        """Which rows of a table are windows, of a time series."""
        plain = self.plain["encoder"]
        (time,) = (None,) if plain["time"] is None else columns_from_plain([plain["time"]])
        if not isinstance(time, NumberColumn | None):
            raise TypeError("times are numbers")
        clock = Clock(plain["clock"]["unit"], number(plain["clock"]["step"]), plain["clock"]["dated"])
        sizes = int(plain["window"]), int(plain["horizon"])
        return WindowLayout(*sizes, plain["target"], time, plain["group"], clock)

    @cached_property
    def layout(self) -> InputLayout:
        """The inputs, where there are several."""
        return InputLayout.from_plain(self.plain["encoder"]["layout"])

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
    def takes_tokens(self) -> bool:
        """Whether texts come as their tokens, and not as the numbers of these."""
        return self.task == "tagging" and not self.raw

    @cached_property
    def padding_mark(self) -> str:
        """The string that stands behind the end of a text that comes as tokens: "", unless that is a token."""
        return _free("", set(self.plain["vocabulary"]["tokens"]), "padding")

    @property
    def padding(self) -> Any:
        """What stands behind the end of a text."""
        return self.padding_mark if self.takes_tokens else 0

    @property
    def resizes(self) -> bool:
        """Whether pictures may be of any size, because the run's were brought to another one."""
        return self.input == "pictures" and self.plain["encoder"]["came_as"] is not None

    @property
    def resizing(self) -> dict[str, Any] | None:
        """How pictures are brought to the size of the net: inside the file, or, where the run read them from files, by
        whoever decodes them; None for samples that come in their size.
        """
        if self.input != "pictures":
            return None
        encoder, (channels, height, width) = self.plain["encoder"], self.sample_shape
        if self.resizes:
            return {"inside": True, "height": height, "width": width, "filter": _INSIDE}
        if encoder.get("white") is None:
            return None
        fit = _SQUEEZED if encoder.get("whole") is True else _CUT
        told = {"inside": False, "height": height, "width": width, "filter": "PIL.Image.Resampling.BILINEAR"}
        return told | {"mode": "L" if channels == 1 else "RGB", "steps": [*_BEFORE, fit], "white": encoder["white"]}

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        if self.input in _CELLS:
            names = _named([column.name for column in self.columns])
            shape = ("N", self.windows.window) if self.input == "series" else ("N",)
            pairs = zip(names, self.columns, strict=True)
            return tuple(Input(name, _type_of_column(column, self.raw), shape) for name, column in pairs)
        if self.input == "several":
            pieces = self.layout.pieces
            names = _named([piece.name if self.layout.named else f"x{piece.name}" for piece in pieces])
            pairs = zip(names, pieces, strict=True)
            return tuple(Input(name, _TYPES[piece.kind], ("N", *piece.shape)) for name, piece in pairs)
        if self.input == "texts":
            return (Input("tokens", "object" if self.takes_tokens else "int64", ("N", "T")),)
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
        names = ("value", "outputs")
        if self.is_likely or self.has_labels:
            first = "labels" if self.task == "multi-label" else _LOOKED_UP[self.task][self.raw]
            names = (first, "probabilities", "logits") if self.is_likely else (first, "lengths")
        taken = {one.name for one in self.inputs}
        return tuple(_free(name, taken) for name in names)

    @cached_property
    def labels(self) -> "numpy.ndarray[Any, Any]":
        """What the numbers of classes, or of tokens, stand for: whole numbers, booleans, floats, else strings. Of tags
        the last one, which `NO_TAG` names too, is ""; so are padding and what stands behind a text.
        """
        if self.task in ("language", "translation"):
            words = self.plain["target"]["vocabulary"] if self.task == "translation" else self.plain["vocabulary"]
            shown = {PADDING: "", END_OF_LINE: "\n"} if words["kind"] == "words" else {PADDING: ""}
            tokens: list[Any] = [shown.get(token, token) for token in words["tokens"]]
            if self.task == "translation":
                tokens[END] = ""
            return numpy.array(tokens, dtype=object)
        classes: list[Any] = self.plain["target"]["classes"]
        if self.task == "tagging":
            return numpy.array([*map(str, classes), ""], dtype=object)
        values = numpy.array(classes)  # as the run's own answers are made
        if values.dtype.kind in "bif" and values.dtype.itemsize <= 8:
            return values
        return numpy.array([str(value) for value in values.tolist()], dtype=object)

    @property
    def has_labels(self) -> bool:
        """Whether numbers of classes are looked up in `labels`."""
        return self.task in _LOOKED_UP

    @property
    def is_likely(self) -> bool:
        """Whether there are probabilities, and logits that they are made of."""
        return (self.has_labels and self.task != "translation") or self.task == "multi-label"

    @property
    def between(self) -> str:
        """What stands between the tokens of a text that is written."""
        return " " if self.plain["target"]["vocabulary"]["kind"] == "words" else ""

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes, labels or tags are called, in the order of the outputs; none of other tasks."""
        target = self.plain["target"]
        return tuple(map(str, target.get("titles") or target.get("classes", ())))

    @property
    def target_names(self) -> tuple[str, ...]:
        """The columns of a table that are predicted together, where there are several."""
        target = self.plain["target"]
        if self.task == "multi-label":
            return self.class_names if target["in_columns"] else ()
        return tuple(map(str, target.get("names", ())))

    def missing_mark(self, column: CategoryColumn) -> str:
        """The string that stands for a missing category: "", unless that is one of the categories."""
        return _free("", set(column.values), "missing")

    def codes(self, column: CategoryColumn) -> dict[str, int]:
        """The code of each category, and of the missing one; any other is `UNSEEN`."""
        return {**{value: place for place, value in enumerate(column.values)}, self.missing_mark(column): MISSING}

    def description(self) -> dict[str, Any]:
        """Inputs and outputs in plain words, for whoever reads the metadata of a file."""
        told = [self._told(column) for column in self.columns]
        if self.input == "several":
            told = [{"means": _MEANS[piece.kind]} for piece in self.layout.pieces]
        return {
            "inputs": [one.as_dict() | (told[place] if told else self._of_samples())
                       for place, one in enumerate(self.inputs)],
            "outputs": list(self.outputs),
            "labels_inside": self.has_labels and not self.raw,
            "strings_inside": (self.input in _CELLS or self.takes_tokens) and not self.raw,
            **self._of_answers(),
        }  # fmt: skip

    def _of_answers(self) -> dict[str, Any]:
        """What the answers go by, where there is more to say than their names."""
        if self.task == "multi-label":
            return {"labels": list(self.class_names), "thresholds": list(self.least)}
        if self.task == "translation":
            return {"written": {"cut_into": self.plain["target"]["vocabulary"]["kind"], "joined_by": self.between}}
        if self.task == "segmentation":
            return {"classes": dict(zip(map(str, self.labels.tolist()), self.class_names, strict=True))}
        if self.input == "series":
            windows = self.windows
            time = windows.time and windows.time.name
            return {"series": {"window": windows.window, "horizon": windows.horizon, "target": windows.target,
                               "group": windows.group, "time": time}}  # fmt: skip
        return {}

    @property
    def least(self) -> tuple[float, ...]:
        """The probability from which on each of several labels is given."""
        target = self.plain["target"]
        return tuple(map(number, target["thresholds"])) or (0.5,) * len(target["classes"])

    def _told(self, column: FittedColumn) -> dict[str, Any]:
        if isinstance(column, CategoryColumn):
            told: dict[str, Any] = {"column": column.name, "categories": list(column.values), "unseen": "any other"}
            mark = self.missing_mark(column)
            return told | ({"codes": self.codes(column), "unseen": UNSEEN} if self.raw else {"missing": mark})
        meaning = {"date": "days since 1970-01-01, UTC", "boolean": "0 or 1"}.get(column.kind, column.kind)
        offset = {"offset": str(column.offset), "means": f"{meaning}, minus the offset"} if column.offset else {}
        return {"column": column.name, "means": meaning, "missing": "NaN", **offset}

    def _of_samples(self) -> dict[str, Any]:
        if self.takes_tokens:
            return {"means": "tokens", "cut_into": self.cut_into, "padding": self.padding_mark}
        if self.input == "texts":
            return {"means": "numbers of tokens in the vocabulary, 0 behind a text's end", "cut_into": self.cut_into}
        if self.input == "pictures":
            peak = self.plain["encoder"]["peak"]
            colours = "red, green, blue" if self.sample_shape[0] == 3 else f"{self.sample_shape[0]} channels"
            resize = {} if self.resizing is None else {"resize": self.resizing}
            return {"means": f"pixels from 0 to {peak:g}; {colours}", **resize}
        return {"means": "numbers as the training data had them"}


_INSIDE = "bilinear, antialiased, in float32, rounded to whole pixels (torch.nn.functional.interpolate)"
_BEFORE = [
    "of a JPEG: Image.draft(None, (side, side)), side the longer one of height and width",
    "ImageOps.exif_transpose",
    "pixels of more than 8 bits: times 255 / white, rounded, at most 255",
    "Image.convert(mode)",
]
_CUT = "ImageOps.fit((width, height), filter): cut at the longer sides, around the middle"
_SQUEEZED = "Image.resize((width, height), filter): squeezed, nothing cut"
"""What `danlu.data.decode` does with a picture of a file, step by step."""
_TYPES = {"numbers": "float64", "whole": "int64", "flags": "bool", "bytes": "uint8"}
"""What the numbers of one of several inputs come as."""
_MEANS = {
    "numbers": "numbers as the training data had them",
    "whole": "whole numbers",
    "flags": "true and false",
    "bytes": "bytes from 0 to 255",
}


def _type_of_column(column: FittedColumn, raw: bool) -> str:
    if isinstance(column, CategoryColumn):
        return "int64" if raw else "object"
    return "float64"


def _named(names: Sequence[str]) -> list[str]:
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
