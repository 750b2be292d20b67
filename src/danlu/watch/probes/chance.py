"""How many samples are alike by chance: rows of few different values coincide without being the same sample."""

import torch


def share_met_by_chance(rows: torch.Tensor, among: int) -> float:
    """Of samples like `rows` [N, C] the share whose like would stand `among` so many others, were every column drawn by
    itself. Columns that say no more than an earlier one, as the second of "yes" and "no", count once.

    >>> coin = torch.tensor([[0.0], [1.0]]).repeat(8, 1)
    >>> round(share_met_by_chance(coin, 16), 2), share_met_by_chance(torch.arange(16.0)[:, None], 16)
    (1.0, 0.0)
    """
    count = len(rows)
    if count < 2:
        return 0.0
    likely = torch.ones(count, dtype=torch.float64)
    different: list[tuple[torch.Tensor, int]] = []
    for column in rows.cpu().t():
        _, own, counts = column.unique(return_inverse=True, return_counts=True)
        if len(counts) == 1 or (len(counts) == 2 and any(_tells(*other, own) for other in different)):
            continue
        different.append((own, len(counts)))
        likely *= (counts[own] - 1).double() / (count - 1)
        if not likely.any():
            return 0.0
    return float((1 - torch.exp(-among * likely)).mean())


def _tells(other: torch.Tensor, values: int, own: torch.Tensor) -> bool:
    """Whether a column of so many different values tells another one of two."""
    return len((2 * other + own).unique()) == values
