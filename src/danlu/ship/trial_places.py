"""What is told of a run on trial whose answer has many parts: a class for each pixel, a tag a token, a forecast."""

import base64
from typing import Any

import numpy
from torch import Tensor

from danlu.base.errors import Fault
from danlu.data.place_labels import PixelLabels
from danlu.data.readers.csv_text import FileOptions, read_csv
from danlu.data.series.encoder import WindowEncoder
from danlu.ship.answerer import Answerer
from danlu.ship.mask_files import palette
from danlu.ship.predictions import ErrorBand
from danlu.ship.series_rows import series_rows
from danlu.ship.strokes import png

_MOST_SERIES = 20  # told of an answer


def masked(answerer: Answerer, encoded: Tensor) -> dict[str, Any]:
    """The class of each pixel of the first picture: the coloured mask as a PNG in a data URI, and of each class that it
    shows the share of the pixels and the colour, the largest first.
    """
    target = answerer.fitted.target
    assert isinstance(target, PixelLabels)
    mask = numpy.asarray(answerer.answers(encoded[:1]).values[0]).astype(numpy.int64)
    colours = numpy.array(palette(), dtype=numpy.uint8).reshape(-1, 3)
    last = len(colours) - 1
    named = zip(target.values, target.names, strict=True)
    shares = [(float((mask == value).mean()), name, colours[min(int(value), last)].tolist()) for value, name in named]
    told = [
        [name, share, f"rgb({red} {green} {blue})"] for share, name, (red, green, blue) in sorted(shares)[::-1] if share
    ]
    picture = base64.b64encode(png(colours[mask.clip(max=last)])).decode()
    return {"mask": f"data:image/png;base64,{picture}", "shares": told}


def tagged(answerer: Answerer, encoded: Tensor, tokens: list[str]) -> list[list[Any]]:
    """Each of the tokens of a text with its tag, and how likely that is."""
    answers = answerer.answers(encoded[:1])
    assert answers.probabilities is not None
    likely: list[float] = answers.probabilities[0].amax(1).tolist()
    return [list(one) for one in zip(tokens, answers.values[0], likely, strict=False)]


def forecast(answerer: Answerer, text: str, band: ErrorBand | None) -> dict[str, Any]:
    """What comes behind the last of the rows in `text`, a table of separated values with a header: for each series its
    name, the time of its last row and the values. UserError where the rows are none of such a table.
    """
    encoder, name = answerer.fitted.encoder, str(Fault("ship.the-rows"))
    assert isinstance(encoder, WindowEncoder)
    content, options = text.encode("utf-8", "replace"), FileOptions(header=True)
    rows = series_rows(read_csv(content, name, ",", options), answerer.fitted)
    beside, odd, count = rows.beside or {}, rows.notes or {}, len(rows.places)
    series = beside.get(encoder.group or "", [""] * count)
    times = beside.get("" if encoder.time is None else encoder.time.name, [""] * count)
    last = {own: row for row, own in enumerate(series)}
    values = answerer.answers(rows.encoded[list(last.values())]).values
    told: list[dict[str, Any]] = []
    for (own, row), found in zip([*last.items()][:_MOST_SERIES], values, strict=False):
        one: dict[str, Any] = {"series": own, "time": times[row], "values": numpy.atleast_1d(found).tolist()}
        if band is not None and len(one["values"]) == 1:
            one |= {"low": one["values"][0] + band.low, "high": one["values"][0] + band.high}
        told.append(one)
    notes = [*map(str, rows.remarks), *(odd[row] for row in last.values() if row in odd)]
    return {"forecasts": told, "others": len(last) - len(told), "notes": notes}


def columns_of_series(encoder: WindowEncoder) -> list[str]:
    """The columns that the rows of a forecast have, the time and the name of the series first."""
    names = [encoder.time and encoder.time.name, encoder.group, *(column.name for column in encoder.columns)]
    return [*dict.fromkeys(name for name in names if name)]
