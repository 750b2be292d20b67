"""How many samples are alike by chance: rows of few different values coincide without being the same sample."""

import torch


def share_met_by_chance(rows: torch.Tensor, among: int) -> float:
    """Of samples like `rows` [N, C] the share whose like would stand `among` so many others, were every column drawn by
    itself. Columns that are one category together, as the 0 and 1 of its values, are drawn together.

    >>> coin = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(8, 1)
    >>> round(share_met_by_chance(coin, 16), 2), share_met_by_chance(torch.arange(16.0)[:, None], 16)
    (1.0, 0.0)
    """
    count = len(rows)
    if count < 2:
        return 0.0
    likely = torch.ones(count, dtype=torch.float64)
    for column in _categories(rows.cpu()):
        own, counts = column.unique(return_inverse=True, return_counts=True)[1:]
        likely *= (counts[own] - 1).double() / (count - 1)
        if not likely.any():
            return 0.0
    return float((1 - torch.exp(-among * likely)).mean())


def _categories(rows: torch.Tensor) -> list[torch.Tensor]:
    """The columns, each as the numbers of its different values; neighbours of two values, of which k have no more than
    k + 1 patterns, as one.
    """
    found: list[torch.Tensor] = []
    width = 0  # of the category that may go on: how many columns of two values it is made of
    for column in rows.t():
        values, own = column.unique(return_inverse=True)
        if len(values) == 1:
            continue
        if width and len(values) == 2:
            patterns, joined = (2 * found[-1] + own).unique(return_inverse=True)
            if len(patterns) <= width + 2:
                found[-1], width = joined, width + 1
                continue
        found.append(own)
        width = 1 if len(values) == 2 else 0
    return found
