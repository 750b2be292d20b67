"""The fitted preprocessing as plain values that JSON can hold, and back: numbers come back bit for bit.

Every kind of encoder and target has its own pair of functions in the tables at the end; a kind that is in neither table
is refused, and no name out of a file is ever looked up anywhere else.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import fail
from danlu.base.input_layout import InputLayout
from danlu.base.strict_json import number
from danlu.data.dataset import Encoder
from danlu.data.far_outside import Ranges
from danlu.data.label_sets import LabelSets
from danlu.data.place_labels import PixelLabels, TokenLabels
from danlu.data.preprocessing import Preprocessing
from danlu.data.series.clock import Clock
from danlu.data.series.encoder import WindowEncoder
from danlu.data.several_encoder import SeveralInputs
from danlu.data.standard import Pixels, Standard
from danlu.data.table.column_texts import ColumnTexts
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import NumberColumn, columns_from_plain, columns_to_plain
from danlu.data.targets import Itself, Labels, Quantities, Target, Tokens
from danlu.data.text.encoders import SourceEncoder, TextEncoder
from danlu.data.vocabulary import Vocabulary
from danlu.data.written_text import WrittenText

Plain = Mapping[str, Any]


def to_plain(fitted: Preprocessing) -> dict[str, Any]:
    """The preprocessing as plain values; UserError for an encoder of a kind that is not danlu's.

    >>> from danlu.data import load
    >>> plain = to_plain(Preprocessing.of(load("iris")))
    >>> from_plain(plain).classes
    ('setosa', 'versicolor', 'virginica')
    """
    encoder = next((kind for kind, (made, _, _) in _ENCODERS.items() if type(fitted.encoder) is made), None)
    if encoder is None:
        fail("data.encoder-not-plain", found=type(fitted.encoder).__name__)
    target = next(kind for kind, (made, _, _) in _TARGETS.items() if type(fitted.target) is made)
    return {
        "name": fitted.name,
        "task": fitted.task,
        "input": encoder,
        "sample_shape": list(fitted.sample_shape),
        "outputs": fitted.outputs,
        "encoder": {"kind": encoder, **_ENCODERS[encoder][1](fitted.encoder)},
        "target": {"kind": target, **_TARGETS[target][1](fitted.target)},
        "vocabulary": None if fitted.vocabulary is None else _from_vocabulary(fitted.vocabulary),
    }


def from_plain(plain: Plain) -> Preprocessing:
    """The preprocessing that `to_plain` wrote. KeyError, TypeError or ValueError where it is not of its form."""
    shape = tuple(int(side) for side in plain["sample_shape"])
    words = None if plain["vocabulary"] is None else _to_vocabulary(plain["vocabulary"])
    encoder, target = plain["encoder"], plain["target"]
    return Preprocessing(
        name=plain["name"],
        sample_shape=shape,
        encoder=_ENCODERS[encoder["kind"]][2](encoder, shape, words),
        target=_TARGETS[target["kind"]][2](target, words),
        vocabulary=words,
    )


def _from_vocabulary(vocabulary: Vocabulary) -> dict[str, Any]:
    return {"tokens": list(vocabulary.tokens), "kind": vocabulary.kind, "spaced": vocabulary.spaced}


def _to_vocabulary(plain: Plain) -> Vocabulary:
    return Vocabulary(tuple(plain["tokens"]), plain["kind"], plain["spaced"])


def _from_ranges(ranges: Ranges | None) -> dict[str, Any] | None:
    return None if ranges is None else asdict(ranges)


def _to_ranges(plain: Plain | None) -> Ranges | None:
    return None if plain is None else Ranges.from_plain(plain)


def _from_table(encoder: Any) -> dict[str, Any]:
    return {"columns": columns_to_plain(encoder.columns)}


def _to_table(plain: Plain, shape: tuple[int, ...], words: Vocabulary | None) -> Encoder:
    return TableEncoder(columns_from_plain(plain["columns"]))


def _from_series(encoder: Any) -> dict[str, Any]:
    time = None if encoder.time is None else columns_to_plain([encoder.time])[0]
    told = {key: getattr(encoder, key) for key in ("window", "horizon", "target", "group")}
    return {**_from_table(encoder.encoder), **told, "time": time, "clock": asdict(encoder.clock)}


def _to_series(plain: Plain, shape: tuple[int, ...], words: Vocabulary | None) -> Encoder:
    time = None if plain["time"] is None else columns_from_plain([plain["time"]])[0]
    if time is not None and not isinstance(time, NumberColumn):
        raise ValueError("times are numbers")
    clock = plain["clock"]
    return WindowEncoder(
        TableEncoder(columns_from_plain(plain["columns"])),
        int(plain["window"]),
        int(plain["horizon"]),
        plain["target"],
        time,
        plain["group"],
        Clock(clock["unit"], number(clock["step"]), clock["dated"]),
    )


def _from_standard(encoder: Any) -> dict[str, Any]:
    return {
        "mean": _from_tensor(encoder.mean),
        "scale": _from_tensor(encoder.scale),
        "ranges": _from_ranges(encoder.ranges),
    }


def _to_standard(plain: Plain, shape: tuple[int, ...], words: Vocabulary | None) -> Encoder:
    return Standard(shape, _to_tensor(plain["mean"]), _to_tensor(plain["scale"]), _to_ranges(plain["ranges"]))


def _from_tensor(tensor: Tensor | None) -> dict[str, Any] | None:
    return None if tensor is None else {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}


def _to_tensor(plain: Plain | None) -> Tensor | None:
    if plain is None:
        return None
    values = [number(value) for value in plain["values"]]
    return torch.tensor(values, dtype=torch.float64).reshape(plain["shape"])


def _from_pixels(encoder: Any) -> dict[str, Any]:
    return {
        "peak": encoder.peak,
        "mean": list(encoder.mean),
        "std": list(encoder.std),
        "came_as": None if encoder.came_as is None else list(encoder.came_as),
        "ranges": _from_ranges(encoder.ranges),
        "white": encoder.white,
        "whole": encoder.whole,
    }


def _to_pixels(plain: Plain, shape: tuple[int, ...], words: Vocabulary | None) -> Encoder:
    came = plain["came_as"]
    return Pixels(
        shape,
        plain["peak"],
        tuple(plain["mean"]),
        tuple(plain["std"]),
        None if came is None else tuple(came),
        _to_ranges(plain["ranges"]),
        plain.get("white"),
        plain.get("whole") is True,
    )


def _from_texts(encoder: Any) -> dict[str, Any]:
    return {"length": encoder.length}


def _to_texts(plain: Plain, shape: tuple[int, ...], words: Vocabulary | None) -> Encoder:
    if words is None:
        raise ValueError("texts need a vocabulary")
    return TextEncoder(words, plain["length"])


def _from_sources(encoder: Any) -> dict[str, Any]:
    return {"length": encoder.length, "columns": None if encoder.columns is None else list(encoder.columns)}


def _to_sources(plain: Plain, shape: tuple[int, ...], words: Vocabulary | None) -> Encoder:
    if words is None:
        raise ValueError("texts need a vocabulary")
    columns = None if plain["columns"] is None else tuple(map(str, plain["columns"]))
    return SourceEncoder(words, plain["length"], None if columns is None else (columns[0], columns[1]))


def _from_column(encoder: Any) -> dict[str, Any]:
    by_file = {"by_file": True} if encoder.by_file else {}
    return {"length": encoder.length, "column": encoder.column, **by_file}


def _to_column(plain: Plain, shape: tuple[int, ...], words: Vocabulary | None) -> Encoder:
    if words is None:
        raise ValueError("texts need a vocabulary")
    return ColumnTexts(words, plain["length"], str(plain["column"]), plain.get("by_file") is True)


def _from_several(encoder: Any) -> dict[str, Any]:
    return {"layout": encoder.layout.as_plain(), "standard": _from_standard(encoder.standard)}


def _to_several(plain: Plain, shape: tuple[int, ...], words: Vocabulary | None) -> Encoder:
    layout, standard = InputLayout.from_plain(plain["layout"]), _to_standard(plain["standard"], shape, words)
    assert isinstance(standard, Standard)
    return SeveralInputs(layout, standard)


def _from_labels(target: Any) -> dict[str, Any]:
    return {"classes": list(target.values)}


def _to_labels(plain: Plain, words: Vocabulary | None) -> Target:
    return Labels(tuple(plain["classes"]))


def _from_quantities(target: Any) -> dict[str, Any]:
    names = {"names": list(target.names)} if target.names else {}
    naive = {} if target.naive is None else {"naive": target.naive}
    return {key: list(getattr(target, key)) for key in _OF_QUANTITIES} | {"limited": target.limited, **names, **naive}


def _to_quantities(plain: Plain, words: Vocabulary | None) -> Target:
    columns = (tuple(map(number, plain.get(key, ()))) for key in _OF_QUANTITIES)
    naive = None if plain.get("naive") is None else number(plain["naive"])
    names = tuple(plain.get("names", ()))
    return Quantities(*columns, limited=plain.get("limited") is True, names=names, naive=naive)


def _from_label_sets(target: Any) -> dict[str, Any]:
    return {
        "classes": list(target.values),
        "thresholds": list(target.thresholds),
        "separator": target.separator,
        "in_columns": target.in_columns,
    }


def _to_label_sets(plain: Plain, words: Vocabulary | None) -> Target:
    thresholds = tuple(map(number, plain["thresholds"]))
    return LabelSets(tuple(plain["classes"]), thresholds, plain["separator"], plain["in_columns"])


def _from_pixel_labels(target: Any) -> dict[str, Any]:
    return {"classes": list(target.values), "titles": list(target.titles), "left_out": list(target.left_out)}


def _to_pixel_labels(plain: Plain, words: Vocabulary | None) -> Target:
    return PixelLabels(tuple(plain["classes"]), tuple(plain["titles"]), tuple(plain["left_out"]))


def _to_token_labels(plain: Plain, words: Vocabulary | None) -> Target:
    return TokenLabels(tuple(plain["classes"]))


def _from_tokens(target: Any) -> dict[str, Any]:
    return {}


def _to_tokens(plain: Plain, words: Vocabulary | None) -> Target:
    if words is None:
        raise ValueError("tokens need a vocabulary")
    return Tokens(words)


def _from_written(target: Any) -> dict[str, Any]:
    return {"vocabulary": _from_vocabulary(target.vocabulary)}


def _to_written(plain: Plain, words: Vocabulary | None) -> Target:
    return WrittenText(_to_vocabulary(plain["vocabulary"]))


def _from_itself(target: Any) -> dict[str, Any]:
    return {"outputs": target.outputs}


def _to_itself(plain: Plain, words: Vocabulary | None) -> Target:
    return Itself(plain["outputs"])


_OF_QUANTITIES = ("mean", "scale", "low", "high")
_ENCODERS: dict[str, tuple[type[Any], Callable[[Any], dict[str, Any]], Callable[..., Encoder]]] = {
    "table": (TableEncoder, _from_table, _to_table),
    "series": (WindowEncoder, _from_series, _to_series),
    "numbers": (Standard, _from_standard, _to_standard),
    "pictures": (Pixels, _from_pixels, _to_pixels),
    "texts": (TextEncoder, _from_texts, _to_texts),
    "sources": (SourceEncoder, _from_sources, _to_sources),
    "column": (ColumnTexts, _from_column, _to_column),
    "several": (SeveralInputs, _from_several, _to_several),
}
_TARGETS: dict[str, tuple[type[Any], Callable[[Any], dict[str, Any]], Callable[..., Target]]] = {
    "labels": (Labels, _from_labels, _to_labels),
    "pixel-labels": (PixelLabels, _from_pixel_labels, _to_pixel_labels),
    "token-labels": (TokenLabels, _from_labels, _to_token_labels),
    "label-sets": (LabelSets, _from_label_sets, _to_label_sets),
    "quantities": (Quantities, _from_quantities, _to_quantities),
    "tokens": (Tokens, _from_tokens, _to_tokens),
    "written-text": (WrittenText, _from_written, _to_written),
    "itself": (Itself, _from_itself, _to_itself),
}
