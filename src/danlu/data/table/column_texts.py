"""What turns the texts in a column of a table into numbers of tokens."""

from dataclasses import dataclass
from typing import Any

import torch

from danlu.base.errors import fail
from danlu.data.table.frames import is_tabular, sheet_of, spelled_cells
from danlu.data.text.encoders import TextEncoder


@dataclass(frozen=True)
class ColumnTexts(TextEncoder):
    """Texts to numbers of tokens, also out of the `column` of a table that they stand in. `by_file`: each was a file of
    its own, and so is what a file holds.
    """

    column: str = ""
    by_file: bool = False

    def encode(self, raw: Any) -> torch.Tensor:
        """What TextEncoder takes; a data frame, a dict of columns, or one row or a list of rows as dicts."""
        if not is_tabular(raw):
            return super().encode(raw)
        sheet = sheet_of(raw)
        if self.column not in sheet.columns:
            fail("data.no-text-column", path=sheet.path, wanted=self.column, columns=", ".join(sheet.columns))
        return super().encode(spelled_cells(sheet, self.column))
