"""Rows of a table that are windows of one series, dealt out at random or cut in two."""

import pytest
import torch

from danlu.watch.measured import Measured
from danlu.watch.probes.inputs import SampleProbe
from danlu.watch.probes.lagged import lagged


def table(smooth: float = 0.0, seed: int = 0) -> torch.Tensor:
    """Ten places of a series as columns, each scaled by itself."""
    row = torch.randn(700, generator=torch.Generator().manual_seed(seed))
    for place in range(1, len(row)):
        row[place] += smooth * row[place - 1]
    rows = row.unfold(0, 10, 1)
    known = rows[torch.rand(len(rows), generator=torch.Generator().manual_seed(4)) < 0.8]
    return (rows - known.mean(0)) / known.std(0)


def parts(rows: torch.Tensor, *, dealt: bool) -> tuple[torch.Tensor, torch.Tensor]:
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(1)) if dealt else torch.arange(len(rows))
    return rows[order[:500]], rows[order[520:]]


@pytest.mark.parametrize("smooth", [0.0, 0.7])
def test_rows_dealt_out_at_random_lie_beside_each_other(smooth: float) -> None:
    train, held = parts(table(smooth), dealt=True)
    # Where some of the training rows are known, what the others would hold is made up for.
    for known in (train, train[:250]):
        asked, moved = lagged(known, held, 500)
        assert moved > 0.7 * asked > 0
    train, held = parts(table(smooth), dealt=False)
    assert lagged(train, held, 500) == (64, 0)


@pytest.mark.parametrize(
    "rows",
    [
        torch.randn(700, 10, generator=torch.Generator().manual_seed(2)),  # no series
        torch.sin(torch.arange(709.0) / 40).unfold(0, 10, 1),  # it comes back to where it was, and hardly moves
        table() * torch.arange(1.0, 11.0),  # columns of their own units
        torch.ones(700, 10),
        table()[:, :5],
    ],
)
def test_other_tables_have_no_such_neighbours(rows: torch.Tensor) -> None:
    assert lagged(*parts(rows, dealt=True), 500)[1] == 0


def test_an_evaluation_is_told_of_them() -> None:
    train, held = parts(table(0.7), dealt=True)
    probe = SampleProbe(Measured())
    for step, batch in enumerate(train.split(32), start=1):
        probe.train(batch, step)
    asked, moved = probe.neighbours(held)
    assert moved > 0.8 * asked > 0
