"""A table whose rows are texts with a label each: one column of text, and one of classes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from danlu.base.errors import Fault, fail
from danlu.data.dataset import Origin, RawSamples
from danlu.data.memory import MemoryDataset
from danlu.data.options import Options
from danlu.data.table.column_texts import ColumnTexts
from danlu.data.table.columns import Column
from danlu.data.table.fit import why_dropped
from danlu.data.table.frames import spelled_cells
from danlu.data.table.load import named_keys
from danlu.data.table.source import TableSource
from danlu.data.table.to_predict import Columns, as_typed, read_columns, target_names
from danlu.data.targets import Labels
from danlu.data.text.encoders import TextEncoder
from danlu.data.text.pairs import LEAST, usual_tokens
from danlu.data.text.sequences import TextPool, text_dataset

# Longer texts are cut, which is told: a recurrent net takes a step for each token, and hardly remembers so many.
_MOST_TOKENS = 256


def text_and_label(source: TableSource, target: Columns | None, options: Options) -> tuple[str, str] | None:
    """The column of text and that of its classes, where a table has nothing else to learn from: one column of free
    text, and beside it nothing but what would be left out. None where it is another table.
    """
    if target is None or options.window is not None or options.task not in ("auto", "classification"):
        return None
    names, _ = target_names(source.table, target, source.place)
    options, _ = named_keys(options, list(source.table))
    used = {*names, *source.no_features, *(key for key in _keys(options).values() if isinstance(key, str))}
    features = {name: column for name, column in source.table.items() if name not in used}
    dropped = _left_out(features)
    texts = [name for name, why in dropped.items() if why.id == "data.dropped-text"]
    if len(names) != 1 or len(texts) != 1 or len(dropped) < len(features):
        return None
    _, meaning, _ = read_columns(names, options.task, source)
    return (texts[0], names[0]) if isinstance(meaning, Labels) else None


def labelled_dataset(
    name: str, source: TableSource, columns: tuple[str, str], options: Options, origin: Origin
) -> MemoryDataset:
    """A data set of the texts in the first of two columns, and their classes in the second."""
    text, label = columns
    y, meaning, told = read_columns((label,), options.task, source)
    assert isinstance(meaning, Labels)
    texts = _texts(source, text)
    pools, first = dict[str, TextPool](), 0
    for part, count in (source.parts or {"train": len(texts)}).items():
        rows = slice(first, first + count)
        pools[part], first = (texts[rows], y[rows]), first + count
    options, rare = with_usual_tokens(options, texts)
    kind = str(options.tokens)
    options, named = named_keys(options, list(source.table))
    divided = len(pools["train"][0])
    if options.fold is not None or options.refit:
        divided += len(pools["validation"][0]) if "validation" in pools else 0
    values = {key: _values(source, key, divided, given) for key, given in _keys(options).items()}
    data = text_dataset(name, pools, meaning, replace(options, **values), kind, origin, source.lines)
    encoder = data.encoder
    assert isinstance(encoder, TextEncoder)
    found = Fault("data.told-labelled", {"column": text, "target": label, "tokens": Fault(f"data.kind-{kind}")})
    others = [one for one in source.table if one not in columns and one not in source.no_features]
    left = tuple(_left_out({one: source.table[one] for one in others}).values())
    return replace(
        data,
        encoder=ColumnTexts(encoder.vocabulary, encoder.length, text),
        notes=(*source.notes, found, *told, *named, *rare, *left, *data.notes),
    )


def with_usual_tokens(options: Options, texts: Sequence[str]) -> tuple[Options, tuple[Fault, ...]]:
    """The options with what is usual for such texts where they leave it open, and what there is to tell of it."""
    kind = options.tokens or usual_tokens(texts, texts)
    least = options.min_frequency or LEAST[kind]
    rare = (Fault("data.told-rare", {"least": least}),) if least > 1 else ()
    return replace(options, tokens=kind, min_frequency=least, steps=options.steps or _MOST_TOKENS), rare


def raw_column_texts(
    source: TableSource, target: Columns | None, numbers: list[int], encoder: ColumnTexts
) -> RawSamples:
    """Texts by the numbers of their rows, with their labels."""
    texts = _texts(source, encoder.column)
    (label, *_), _ = target_names(source.table, target, source.place)
    labels = as_typed(source.table[label]).tolist()
    return RawSamples("texts", [texts[row] for row in numbers], [labels[row] for row in numbers])


def _left_out(columns: Mapping[str, Column]) -> dict[str, Fault]:
    """Why those columns that nothing is learnt from are left out; what a user named the kind of is learnt from."""
    whys = {name: why_dropped(name, column, column) for name, column in columns.items() if not column.asked}
    return {name: why for name, why in whys.items() if why is not None}


def _keys(options: Options) -> dict[str, Any]:
    return {"group": options.group, "time": options.time}


def _values(source: TableSource, key: str, count: int, given: Any) -> Any:
    """What orders or groups the rows of the training pool: where it is a column, its values."""
    if not isinstance(given, str) or (key == "time" and given not in source.table):
        return given
    if given not in source.table:
        fail("data.no-such-key", option=key, column=given, columns=", ".join(source.table))
    return source.table[given].values[:count]


def _texts(source: TableSource, name: str) -> list[str]:
    """The cells of a column as they are spelled. UserError for those without a text."""
    sheet = source.sheet
    cells = source.table[name].values.tolist() if sheet is None else spelled_cells(sheet, name)
    empty = [row for row, cell in enumerate(cells) if cell is None or not cell.strip()]
    if empty:
        fail("data.texts-missing", place=source.column(name), count=len(empty), at=source.at(empty[0]))
    return cells
