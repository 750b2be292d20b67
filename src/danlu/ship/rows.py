"""Some samples of a file, encoded: what every reader of a user's files gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from danlu.base.errors import Fault


@dataclass(frozen=True)
class Rows:
    """Some samples of one file: `places` say where each stands in it (a line, a picture's name, a number), `targets`
    are those that the file gives (int64 [N], -1 where it gives none; or float64 [N, T], NaN there), `notes` what is
    odd about a row, by its number here, `remarks` what there is to tell of the file, and `beside` what else is told of
    each sample, by the name of its column.
    """

    file: str
    places: Sequence[str]
    encoded: Tensor
    targets: Tensor | None = None
    notes: dict[int, str] | None = None
    remarks: tuple[Fault, ...] = ()
    beside: Mapping[str, Sequence[str]] | None = None
