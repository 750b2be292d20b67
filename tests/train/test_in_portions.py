"""Samples that memory does not hold at once are answered in portions."""

import pytest
import torch
from torch import Tensor

from danlu.train.in_portions import InPortions


class Holding:
    """Answers `most` samples at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[int] = []

    def __call__(self, samples: Tensor) -> Tensor:
        self.asked.append(len(samples))
        if len(samples) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return samples * 2


@pytest.mark.parametrize("most", [1, 2, 3, 7, 8])
def test_the_answers_are_the_same(most: int) -> None:
    samples = torch.arange(8)
    holding = Holding(most)
    forward = InPortions(holding)
    assert torch.equal(forward(samples), samples * 2)
    holding.asked.clear()
    assert torch.equal(forward(samples), samples * 2)
    assert max(holding.asked) <= most  # what did not fit is not tried again


def test_where_nothing_fits_the_error_comes() -> None:
    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        InPortions(Holding(0))(torch.arange(8))


def test_another_error_comes_as_it_is() -> None:
    def forward(samples: Tensor) -> Tensor:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        InPortions(forward)(torch.arange(8))
