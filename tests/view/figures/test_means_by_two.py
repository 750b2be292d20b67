"""Means by two factors as colours: what lies within their error looks nearly alike."""

from typing import Any

import pytest

from danlu.view.figures.chart import Cells
from danlu.view.figures.effects import means_chart


def ends(means: list[list[float | None]], error: float) -> tuple[float, float] | None:
    table: dict[str, Any] = {
        "factors": ["lr", "hidden"], "rows": [0.1, 1.0], "columns": [8, 16], "metric": "accuracy", "means": means,
        "error": error,
    }  # fmt: skip
    ((cells,),) = (panel.marks for panel in means_chart(table).panels)
    assert isinstance(cells, Cells)
    return cells.range


def test_means_that_differ_by_less_than_their_error_share_a_colour() -> None:
    low, high = ends([[0.90, 0.902], [0.901, None]], error=0.01) or (0.0, 0.0)
    assert (low, high) == pytest.approx((0.851, 0.951))


@pytest.mark.parametrize(("means", "error"), [([[0.5, 0.9], [0.7, 0.8]], 0.01), ([[None, None], [None, None]], 0.01)])
def test_means_that_are_further_apart_take_all_colours(means: list[list[float | None]], error: float) -> None:
    assert ends(means, error) is None
