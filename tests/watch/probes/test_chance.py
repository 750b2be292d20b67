"""Chance: how many rows coincide by themselves, and how many of a table do that was split fairly."""

import pytest
import torch

from danlu.watch.measured import Measured
from danlu.watch.probes.chance import share_met_by_chance
from danlu.watch.probes.inputs import SampleProbe


def dice(sides: int, rows: int = 400, columns: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.randint(sides, (rows, columns), generator=torch.Generator().manual_seed(seed)).double()


def one_hot(column: torch.Tensor, sides: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(column[:, 0].long(), sides).double()


def met(rows: torch.Tensor) -> float:
    """The share of the last quarter that stands among the first three."""
    cut = 3 * len(rows) // 4
    known = {tuple(row) for row in rows[:cut].tolist()}
    return sum(tuple(row) in known for row in rows[cut:].tolist()) / (len(rows) - cut)


ROWS = {
    "two dice": dice(6, columns=2),
    "three dice": dice(6, columns=3),
    "a category": one_hot(dice(6), 6),
    "two categories and a die": torch.cat([one_hot(dice(4, seed=seed), 4) for seed in (1, 2)] + [dice(6)], 1),
    "measures": torch.rand(400, 4, generator=torch.Generator().manual_seed(0)).double(),
    "a measure beside a die": torch.cat([torch.arange(400.0)[:, None].double(), dice(6)], 1),
    "a column that is always the same": torch.cat([torch.ones(400, 1).double(), dice(30, columns=2)], 1),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_expected_is_what_a_fair_split_has(name: str) -> None:
    rows = ROWS[name]
    assert share_met_by_chance(rows[:300], 300) == pytest.approx(met(rows), abs=0.1)


def test_copies_are_no_chance() -> None:
    measures = torch.rand(100, 4, generator=torch.Generator().manual_seed(0)).double()
    assert share_met_by_chance(measures.repeat(3, 1), 100) < 0.01


@pytest.mark.parametrize("rows", [torch.zeros(0, 3), torch.zeros(1, 3)])
def test_of_hardly_any_rows_nothing_is_expected(rows: torch.Tensor) -> None:
    assert share_met_by_chance(rows, 10) == 0.0


def test_it_is_measured_where_samples_were_met() -> None:
    measured = Measured()
    samples = SampleProbe(measured)
    rows = dice(4, columns=3)
    samples.train(rows[:200], 1)
    assert samples.overlap(torch.rand(50, 3))[1] == 0
    assert measured.chance_overlap == 0
    samples.overlap(rows[200:230])
    assert measured.chance_overlap > 0.9
