"""The texts of a table whose rows are to be answered, for a run and an exported network alike; without torch."""

from collections.abc import Sequence

from danlu.base.errors import fail
from danlu.data.table.columns import Sheet
from danlu.data.table.frames import spelled_cells


def texts_in(sheet: Sheet, column: str) -> list[str]:
    """The cells of a column as they are spelled. UserError where one of them has no text."""
    texts = spelled_cells(sheet, column)
    empty = [row for row, text in enumerate(texts) if text is None or not text.strip()]
    if empty:
        fail("ship.no-source", path=sheet.path, column=column, count=len(empty), at=sheet.place(empty[0]))
    return texts


def labelled_column(sheet: Sheet, wanted: str) -> str:
    """The column of the texts to be classified: by its name, or the only one. UserError where there is none."""
    names = list(sheet.columns)
    if wanted not in names and len(names) != 1:
        fail("data.no-text-column", path=sheet.path, wanted=wanted, columns=", ".join(names))
    return wanted if wanted in names else names[0]


def pair_columns(sheet: Sheet, known: Sequence[str] | None) -> tuple[str, str | None]:
    """The columns of the texts to be translated and of the right ones, where there are these. Those that were trained
    on are `known`, None where they had no names: the sources stand in the column of that name, in the only one, or in
    the first of two. UserError where they are not found.
    """
    names = list(sheet.columns)
    if known is not None:
        source, target = known
        if source in names:
            return source, target if target in names else None
    elif len(names) == 2:
        return names[0], names[1]
    if len(names) != 1:
        fail("ship.no-source-column", path=sheet.path, wanted=(known or ("–",))[0], columns=", ".join(names))
    return names[0], None
