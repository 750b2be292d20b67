"""A run tried out by hand: one drawing, picture, row or text in; the answer and why out, as plain values for a page."""

import base64
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, UserError, fail
from danlu.data.label_sets import LabelSets
from danlu.data.place_labels import PixelLabels, TokenLabels
from danlu.data.readers.csv_text import FileOptions
from danlu.data.series.encoder import WindowEncoder
from danlu.data.several_encoder import layout_of
from danlu.data.standard import Pixels, Standard
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import FittedColumn, NumberColumn
from danlu.data.table.frames import table_of
from danlu.data.targets import Itself, Tokens
from danlu.data.text.encoders import TextEncoder
from danlu.data.tokens import RESERVED, cut
from danlu.data.written_text import WrittenText
from danlu.ship.answerer import Answerer, Answers
from danlu.ship.explain import by_owner, explained, heat, occluded, patches_of, usual_rows, without_pieces
from danlu.ship.generate import generate
from danlu.ship.inputs import read_rows
from danlu.ship.predictions import ErrorBand
from danlu.ship.strokes import Stroke, drawn, png
from danlu.ship.trial_places import columns_of_series, forecast, masked, tagged

_MOST_CLASSES = 10  # told of an answer, the likeliest first
_MOST_FIELDS = 200
_LEAST_SIDE = 8  # of what is taken for a picture where the data were arrays
_PICTURE_DIMENSIONS = (2, 3)
_COLORS = (1, 3)


@dataclass(frozen=True)
class RunOnTrial:
    """A run that is tried out: `answerer`, and the error `band` of a regression where it is known."""

    answerer: Answerer
    band: ErrorBand | None = None

    @property
    def kind(self) -> str:
        """What goes in: "picture", "row", "numbers", "text", "beginning" (of a text), "source" (a text to translate) or
        "rows" (of a time series). UserError where it is nothing that a page can ask for.
        """
        fitted = self.answerer.fitted
        if isinstance(fitted.target, WrittenText):
            return "source"
        if isinstance(fitted.target, Tokens):
            return "beginning"
        if isinstance(fitted.encoder, WindowEncoder):
            return "rows"
        if isinstance(fitted.encoder, TextEncoder):
            return "text"
        if isinstance(fitted.encoder, Pixels) or _is_picture(fitted.sample_shape):
            return "picture"
        if isinstance(fitted.target, Itself):
            fail("ship.cannot-try-files", name=fitted.name)
        if isinstance(fitted.encoder, TableEncoder):
            return "row"
        if isinstance(fitted.encoder, Standard) and math.prod(fitted.sample_shape) <= _MOST_FIELDS:
            return "numbers"
        several = layout_of(fitted.encoder) is not None
        return fail("ship.cannot-try-files" if several else "ship.cannot-try", name=fitted.name)

    def form(self) -> dict[str, Any]:
        """What the page asks for: the kind, whether it can be drawn, the fields of a row with their usual values."""
        fitted, kind = self.answerer.fitted, self.kind
        fields: list[dict[str, Any]] = []
        about: dict[str, Any] = {}
        if isinstance(fitted.encoder, WindowEncoder):
            about = {"columns": columns_of_series(fitted.encoder), "window": fitted.encoder.window}
        if isinstance(fitted.encoder, TableEncoder):
            fields = [_field(column) for column in fitted.encoder.columns]
        elif kind == "numbers":
            fields = _numbered(fitted.encoder, math.prod(fitted.sample_shape))
        sides = (1, *fitted.sample_shape)[-3:]
        drawing = kind == "picture" and sides[0] == 1
        return {"takes": kind, "task": fitted.task, "data": fitted.name, "draws": drawing, "fields": fields} | about

    def drawing(self, strokes: list[Stroke]) -> dict[str, Any]:
        """The answer to what was drawn, brought to the size of the run's pictures."""
        _, height, width = (1, *self.answerer.fitted.sample_shape)[-3:]
        pixels = drawn(strokes, height, width)
        return self.picture(png(255 - pixels if _is_light(self.answerer.fitted.encoder) else pixels))

    def picture(self, content: bytes) -> dict[str, Any]:
        """The answer to a picture file, and for each cell of the picture how much of it rests on that; or the class of
        each pixel.
        """
        fitted = self.answerer.fitted
        with tempfile.TemporaryDirectory(prefix="danlu-") as folder:
            path = Path(folder) / "picture.png"
            path.write_bytes(content)
            try:
                (rows,) = read_rows(path, fitted, None, FileOptions())
            except UserError as error:  # the name of our own file says nothing to anybody
                raise UserError(*(_renamed(fault, path) for fault in error.faults)) from None
        seen = _shown(rows.encoded[0], fitted.encoder)
        if isinstance(fitted.target, PixelLabels):
            return {"seen": seen} | masked(self.answerer, rows.encoded)
        if isinstance(fitted.target, Itself):
            again = self.answerer.outputs(rows.encoded)[0].reshape(rows.encoded[0].shape)
            error = float((again - rows.encoded[0]).double().square().mean())
            return {"seen": seen, "again": _shown(again, fitted.encoder), "error": error}
        patches = patches_of(rows.encoded.shape)
        found = explained(self.answerer, rows.encoded, occluded(rows.encoded[0], patches))
        return self._answer(found.answers) | {"seen": seen, "map": heat(found.effects, patches)}

    def row(self, cells: Mapping[str, str | None]) -> dict[str, Any]:
        """The answer to a row of a table, and what each column adds to it; None and "" are missing values."""
        encoder = self.answerer.fitted.encoder
        given = {name: None if value is None or not value.strip() else value for name, value in cells.items()}
        if not isinstance(encoder, TableEncoder):
            return self._numbers(list(given.values()))
        table = table_of([given])
        encoded = encoder.encode_table(table)
        notes = [*(str(fault) for _, fault in encoder.unseen(table)), *map(str, encoder.remarks([given]))]
        changed, owners = usual_rows(encoder, encoded[0])
        found = explained(self.answerer, encoded, changed)
        effects = by_owner(found.effects, owners, len(encoder.columns))
        bars = [[column.name, effect] for column, effect in zip(encoder.columns, effects, strict=True)]
        return self._answer(found.answers) | {"notes": notes, "columns": bars}

    def _numbers(self, cells: list[str | None]) -> dict[str, Any]:
        fitted = self.answerer.fitted
        try:
            raw = torch.tensor([float(cell or "nan") for cell in cells], dtype=torch.float64)
        except ValueError:
            fail("ship.only-numbers")
        encoded = fitted.encode(raw.reshape(1, *fitted.sample_shape))
        middle = torch.tensor([field["usual"] for field in _numbered(fitted.encoder, len(cells))], dtype=torch.float64)
        usual = raw.repeat(len(cells), 1)
        usual[range(len(cells)), range(len(cells))] = middle
        found = explained(self.answerer, encoded, fitted.encode(usual.reshape(-1, *fitted.sample_shape)))
        notes = [str(remark) for remark in fitted.remarks(raw.reshape(1, *fitted.sample_shape))]
        bars = [[str(number), effect] for number, effect in enumerate(found.effects.tolist(), start=1)]
        return self._answer(found.answers) | {"notes": notes, "columns": bars}

    def text(self, text: str) -> dict[str, Any]:
        """The answer to a text, and what each token, or few tokens, add to it; or the tag of each."""
        encoded, tokens, notes = self._tokens_of(text)
        if isinstance(self.answerer.fitted.target, TokenLabels):
            return {"tags": tagged(self.answerer, encoded, tokens), "notes": notes}
        shorter, pieces = without_pieces(tokens, encoded[0])
        found = explained(self.answerer, encoded, shorter)
        vocabulary = self.answerer.fitted.vocabulary
        between = "" if vocabulary is None or vocabulary.kind == "characters" else " "
        parts = [
            [between.join(tokens[piece.start : piece.stop]), effect]
            for piece, effect in zip(pieces, found.effects.tolist(), strict=True)
        ]
        return self._answer(found.answers) | {"notes": notes, "tokens": parts}

    def source(self, text: str, *, beam: int) -> dict[str, Any]:
        """What is written for a text, found with a `beam` of so many beginnings."""
        encoded, _, notes = self._tokens_of(text)
        return {"written": self.answerer.answers(encoded, beam).values[0], "notes": notes}

    def _tokens_of(self, text: str) -> tuple[Tensor, list[str], list[str]]:
        """A text as the net takes it, its tokens, and a note of those that were never met. UserError for none."""
        encoder = self.answerer.fitted.encoder
        assert isinstance(encoder, TextEncoder)
        tokens = cut(text, encoder.vocabulary.kind, spaced=encoder.vocabulary.spaced)
        if not tokens:
            fail("ship.empty-text")
        unknown = [token for token in dict.fromkeys(tokens) if token not in encoder.vocabulary.numbers]
        notes = [str(Fault("ship.unknown-tokens", {"tokens": " ".join(unknown[:10])}))] if unknown else []
        return encoder.encode(text), tokens, notes

    def rows(self, text: str) -> dict[str, Any]:
        """What comes behind the last rows of a table that was pasted as text, for each series."""
        return forecast(self.answerer, text, self.band)

    def beginning(self, text: str, *, tokens: int, temperature: float, seed: int) -> dict[str, Any]:
        """How a language model goes on with a text, and which tokens it thinks likeliest to come next."""
        whole = generate(self.answerer, text, tokens=tokens, temperature=temperature, seed=seed)
        vocabulary = self.answerer.fitted.vocabulary
        assert vocabulary is not None
        with torch.no_grad():
            outputs = self.answerer.outputs(vocabulary.encode(text)[None])[0, -1].double()
        shares, numbers = outputs.softmax(0).sort(descending=True)
        ranked = (
            [vocabulary.tokens[number], share] for number, share in zip(numbers.tolist(), shares.tolist(), strict=True)
        )
        likeliest = [pair for pair in ranked if pair[0] not in RESERVED][:_MOST_CLASSES]
        return {"beginning": text, "goes_on": whole.removeprefix(text), "classes": likeliest}

    def _answer(self, answers: Answers) -> dict[str, Any]:
        """The answer to the first sample: classes with their probabilities, or numbers, with the range that the true
        value is in for nine of ten where that is known.
        """
        if answers.probabilities is not None:
            names = self.answerer.fitted.classes
            ranked = [[names[number], share] for number, share in answers.ranked(0, _MOST_CLASSES)]
            answer: Any = ranked[0][0]
            if isinstance(self.answerer.fitted.target, LabelSets):
                answer = ", ".join(map(str, answers.values[0])) or "–"
            return {"answer": answer, "classes": ranked, "others": max(0, len(names) - len(ranked))}
        values = numpy.atleast_1d(answers.values[0]).tolist()
        told: dict[str, Any] = {"values": values}
        if self.band is not None and len(values) == 1:
            told |= {"low": values[0] + self.band.low, "high": values[0] + self.band.high}
        return told


def _is_picture(shape: tuple[int, ...]) -> bool:
    """Whether arrays of this shape are taken for pictures: grey or of three colours, and no window of a series."""
    channels = shape[0] if len(shape) == max(_PICTURE_DIMENSIONS) else 1
    return len(shape) in _PICTURE_DIMENSIONS and channels in _COLORS and min(shape[-2:]) >= _LEAST_SIDE


def _is_light(encoder: Any) -> bool:
    """Whether the run's pictures are dark on light, as far as their mean tells."""
    if isinstance(encoder, Pixels):
        return sum(encoder.mean) / len(encoder.mean) > 0.5
    if isinstance(encoder, Standard) and encoder.mean is not None and encoder.ranges is not None:
        low, high = encoder.ranges.bounds
        return float(encoder.mean.mean()) > (low + high) / 2
    return False


def _shown(encoded: Tensor, encoder: Any) -> str:
    """What the net sees of a picture, as a PNG in a data URI; of arrays the least value is black, the largest white."""
    pixels = encoded.double().reshape(-1, *encoded.shape[-2:])
    if isinstance(encoder, Pixels):
        std, mean = (torch.tensor(numbers).reshape(-1, 1, 1) for numbers in (encoder.std, encoder.mean))
        pixels = pixels * std + mean
    else:
        pixels = (pixels - pixels.amin()) / (pixels.amax() - pixels.amin()).clamp(min=1e-12)
    colors = (pixels.clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return "data:image/png;base64," + base64.b64encode(png(colors[..., 0] if colors.shape[2] == 1 else colors)).decode()


def _renamed(fault: Fault, path: Path) -> Fault:
    values = {key: Fault("ship.the-picture") if value == path else value for key, value in fault.values.items()}
    return Fault(fault.id, values)


def _field(column: FittedColumn) -> dict[str, Any]:
    """One column of a table as a field to fill in."""
    if isinstance(column, NumberColumn):
        middle = (column.median - column.mean) / column.scale
        usual = column.show([middle, *[0.0] * (len(column.features) - 1)])
        values = ["false", "true"] if column.kind == "boolean" else []
        kind, missing = column.kind, column.flag
    else:
        usual, values, kind, missing = column.usual or column.values[0], list(column.values), "category", column.missing
    return {"name": column.name, "type": kind, "usual": usual, "values": values, "missing": missing}


def _numbered(encoder: Any, count: int) -> list[dict[str, Any]]:
    """Features without names as fields: numbered, at the mean of the training part."""
    middle = [0.0] * count
    if encoder.mean is not None:
        middle = encoder.mean.expand(encoder.sample_shape).flatten().tolist()
    elif encoder.ranges is not None and len(encoder.ranges.mean) == count:
        middle = list(encoder.ranges.mean)
    return [
        {"name": str(number), "type": "number", "usual": float(f"{value:.6g}"), "values": [], "missing": False}
        for number, value in enumerate(middle, start=1)
    ]
