"""A table of two columns whose rows are pairs of texts: a source, and what it becomes."""

from typing import Any

from danlu.base.errors import Fault, fail
from danlu.data.options import Options
from danlu.data.table.frames import spelled_cells
from danlu.data.table.source import TableSource
from danlu.data.table.to_predict import Columns, target_names
from danlu.data.text.pairs import Pairs, are_pairs


def holds_pairs(source: TableSource, target: Columns | None, options: Options) -> bool:
    """Whether a table is read as pairs: where that is asked for, or where nothing is, and it has two columns, both of
    text and no dates or numbers, with more than half of the texts to predict there once only.
    """
    if options.task != "auto" or options.window is not None:
        return options.task == "translation"
    if len(source.table) != 2 or any(column.kind != "text" for column in source.table.values()):
        return False
    first, second = _columns(source, target)
    return are_pairs(source.table[first].values.tolist(), source.table[second].values.tolist())


def pairs_table(source: TableSource, target: Columns | None, options: Options) -> dict[str, Pairs]:
    """The pairs of a table by part, their texts as they stand in it."""
    first, second = _columns(source, target)
    sources, targets = _cells(source, first), _cells(source, second)
    how = "found" if options.task == "auto" else "asked"
    told = (*source.notes, Fault(f"data.pairs-{how}", {"source": first, "target": second}))
    found, begin = dict[str, Pairs](), 0
    for part, count in (source.parts or {"train": len(sources)}).items():
        rows, before = slice(begin, begin + count), begin
        found[part] = Pairs(
            sources[rows],
            targets[rows],
            (first, second),
            () if begin else told,
            lambda row, before=before: source.at(before + row),
        )
        begin += count
    return found


def _columns(source: TableSource, target: Columns | None) -> tuple[str, str]:
    """The column of sources and that of targets, which is the second of two where none is named. UserError where it is
    not known which are meant.
    """
    names = list(source.table)
    chosen = (names[-1],) if target is None and len(names) == 2 else target_names(source.table, target, source.place)[0]
    others = [name for name in names if name not in chosen]
    if len(chosen) != 1 or len(others) != 1:
        fail("data.pairs-columns", path=source.place, columns=", ".join(names), found=", ".join(chosen))
    return others[0], chosen[0]


def _cells(source: TableSource, name: str) -> list[Any]:
    """The cells of a column as they are spelled, also where they could be read as dates or numbers."""
    if source.sheet is None:
        return [None if cell is None else str(cell) for cell in source.table[name].values.tolist()]
    return spelled_cells(source.sheet, name)
