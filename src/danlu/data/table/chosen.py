"""What a user says of a table's columns: which are features, and what their cells are taken for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from danlu.base.errors import Fault, Faults, nearest
from danlu.base.naming import listed
from danlu.data.options import Options
from danlu.data.table.columns import MOST_LISTED, Table, some_columns
from danlu.data.table.load import named_keys
from danlu.data.table.retyped import retyped
from danlu.data.table.source import TableSource
from danlu.data.table.to_predict import Columns, names_in, resolve_column, target_names


def chosen_columns(
    source: TableSource, target: Columns | None, options: Options
) -> tuple[TableSource, Columns | None, Options]:
    """The table with the columns that are wanted, in the types that are wanted; the columns to predict, by name; and
    the options without `columns`, `drop` and `types`.

    What orders, groups or weights the rows stays. UserError with all that contradicts itself, is not there, or does not
    fit the cells.
    """
    if options.columns is None and options.drop is None and not options.types:
        return source, target, options
    names = list(source.table)
    targets, said = target_names(source.table, target, source.place)
    options, by_number = named_keys(options, names)
    faults = Faults()
    only = None if options.columns is None else _resolved("columns", options.columns, source, faults)
    dropped = _resolved("drop", options.drop or (), source, faults)
    types = _types(options.types or {}, source, faults)
    for name in dropped:
        if name in targets:
            faults.add("columns.target-dropped", column=name)
        elif only is not None and name in only:
            faults.add("columns.named-and-dropped", column=name)
    others = [name for name in names if name not in targets]
    features = [name for name in others if name not in dropped and (only is None or name in only)]
    keys = [key for key in (options.group, options.time, options.weight) if isinstance(key, str)]
    kept = [name for name in names if name in targets or name in features or name in keys]
    for name in types:
        if name not in kept:
            faults.add("columns.typed-and-left-out", column=name)
    if not features and not len(faults):
        faults.add("columns.nothing-left", place=source.place)
    table: Table = some_columns(source.table, kept)
    if types:
        table = {**table, **{name: retyped(name, kind, source, faults) for name, kind in types.items() if name in kept}}
    faults.raise_if_any()
    left_out = [name for name in others if name not in features]
    chosen = replace(
        source,
        table=table,
        notes=(*source.notes, *said, *by_number, *_told(only, dropped, left_out, types)),
        left_out=some_columns(source.table, [name for name in names if name not in kept]),
        no_features=frozenset(name for name in kept if name in left_out),
    )
    return chosen, targets, replace(options, columns=None, drop=None, types=None)


def _resolved(key: str, words: Sequence[str], source: TableSource, faults: Faults) -> list[str]:
    """The columns that `words` name or number; a word with commas in it that is no column is several."""
    names = list(source.table)
    found = [_column(key, part, source, faults) for word in words for part in names_in(word, names)]
    return [name for name in dict.fromkeys(found) if name is not None]


def _types(given: Mapping[str, str], source: TableSource, faults: Faults) -> dict[str, str]:
    found = {_column("types", word, source, faults): kind for word, kind in given.items()}
    return {name: kind for name, kind in found.items() if name is not None}


def _column(key: str, word: str, source: TableSource, faults: Faults) -> str | None:
    names = list(source.table)
    name = resolve_column(word, names)
    if name is None:
        told: dict[str, Any] = {"key": f"data.{key}", "column": word, "columns": listed(names, MOST_LISTED)}
        faults.add("columns.unknown", place=source.place, hint=nearest(word, names), **told)
    return name


def _told(
    only: Sequence[str] | None, dropped: Sequence[str], left_out: Iterable[str], types: Mapping[str, str]
) -> list[Fault]:
    notes: list[Fault] = []
    if only is not None:
        others = [name for name in left_out if name not in dropped]
        notes.append(
            Fault("columns.only", {"columns": listed(only, MOST_LISTED), "others": listed(others, MOST_LISTED) or "-"})
        )
    if dropped:
        notes.append(Fault("columns.dropped", {"columns": listed(dropped, MOST_LISTED)}))
    if types:
        notes.append(
            Fault("columns.typed", {"types": listed((f"{name} = {kind}" for name, kind in types.items()), MOST_LISTED)})
        )
    return notes
