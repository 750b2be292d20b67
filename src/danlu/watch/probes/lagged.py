"""Windows as rows of a table whose columns were scaled one by one: neighbours that are equal but for that."""

import torch

_FEWEST = 6  # columns
_MOST_ASKED = 64
_NEAR = 0.12  # in deviations: what the scale of a column differs from that of the next one where both are of one series
_SPREAD = 0.2  # of the columns' deviations over their mean, up to which they may be of one series


def lagged(trained: torch.Tensor, asked: torch.Tensor, samples: int) -> tuple[int, int]:
    """Of how many rows [N, D] how many are a row of the training moved on or back by one column; of these `trained`
    [M, D] are some, of so many `samples`, which is made up for. (0, 0) where the columns are not of one series.

    Rows that a row of the training equals where it stands are none: a series that hardly moves is like itself anyhow.

    >>> row = torch.randn(300, generator=torch.Generator().manual_seed(0)).unfold(0, 8, 1)
    >>> lagged(row[::2], row[1::2], 147)[1] > 60, lagged(row[:200], row[210:], 200)
    (True, (64, 0))
    """
    if asked.dim() != 2 or asked.shape[1:] != trained.shape[1:] or asked.shape[1] < _FEWEST or len(trained) < 2:
        return 0, 0
    spread = trained.std(0)
    if not bool(torch.isfinite(spread).all()) or not float(spread.min()) > 0:
        return 0, 0
    if float(spread.std(correction=0)) > _SPREAD * float(spread.mean()):
        return 0, 0
    rows, near = asked[:_MOST_ASKED].to(trained), _NEAR * float(spread.mean())
    on = _equal(rows[:, :-1], trained[:, 1:], near) | _equal(rows[:, 1:], trained[:, :-1], near)
    moved = on & ~_equal(rows[:, :-1], trained[:, :-1], near)
    known = min(1.0, len(trained) / max(1, samples))
    either = 1 - (1 - known) ** 2  # that one of the two neighbours is among those
    return len(rows), min(len(rows), round(float(moved.sum()) / either))


def _equal(rows: torch.Tensor, others: torch.Tensor, near: float) -> torch.Tensor:
    """Which rows lie that near to one of the others, in every column."""
    return (torch.cdist(rows.double(), others.double(), p=float("inf")) <= near).any(1)
