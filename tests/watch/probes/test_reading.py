"""Numbers out of tensors: norms, differences and values of many at once."""

import math

import pytest
import torch

from danlu.watch.probes.reading import differences, norms, read


@pytest.mark.parametrize(
    ("tensor", "length", "count"),
    [
        (torch.tensor([3.0, -4.0]), 5.0, 2.0),
        (torch.tensor([[1.0, 0.0], [2.0, 2.0]]), 3.0, 3.0),
        (torch.tensor(-2.0), 2.0, 1.0),
        (torch.zeros(3), 0.0, 0.0),
        (torch.empty(0, 4), 0.0, 0.0),
        (torch.tensor([3.0, 4.0], dtype=torch.float64), 5.0, 2.0),
        (torch.tensor([3.0, 4.0], dtype=torch.bfloat16), 5.0, 2.0),
        (torch.tensor([math.inf, 1.0]), math.inf, 2.0),
    ],
)
def test_the_norm_is_the_length_and_that_of_order_0_the_count(
    tensor: torch.Tensor, length: float, count: float
) -> None:
    assert read(norms([tensor])) == [length]
    assert read(norms([tensor], 0)) == [count]


def test_tensors_of_any_shape_are_measured_at_once() -> None:
    assert read(norms([torch.ones(4), torch.ones(3, 3), torch.tensor(7.0)])) == [2.0, 3.0, 7.0]


def test_a_number_that_is_none_makes_its_own_norm_none() -> None:
    first, second = read(norms([torch.tensor([math.nan, 1.0]), torch.ones(1)]))
    assert math.isnan(first)
    assert second == 1.0


def test_a_difference_is_what_was_added() -> None:
    before, now = [torch.tensor([1.0, 2.0]), torch.tensor(5.0)], [torch.tensor([1.5, 2.0]), torch.tensor(4.0)]
    assert [one.tolist() for one in differences(now, before)] == [[0.5, 0.0], -1.0]
    assert [one.tolist() for one in before] == [[1.0, 2.0], 5.0]


@pytest.mark.parametrize(
    ("numbers", "values"),
    [
        ([], []),
        ([torch.tensor(True), torch.tensor(False)], [1.0, 0.0]),
        ([torch.tensor(0.1), torch.tensor(0.1, dtype=torch.float64)], [float(torch.tensor(0.1)), 0.1]),
        ([torch.tensor(16_777_217), torch.tensor(0.5)], [16_777_217.0, 0.5]),
        ([torch.tensor(-math.inf)], [-math.inf]),
    ],
)
def test_each_value_is_read_as_it_stands(numbers: list[torch.Tensor], values: list[float]) -> None:
    assert read(numbers) == values


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_norms_of_half_precision_are_not_cut_to_it(kind: torch.dtype) -> None:
    beside = torch.tensor([3.0, 4.0], dtype=torch.float64)
    tensors = [torch.full((4096,), 2048.0, dtype=kind), torch.ones(1)]
    assert read(norms(tensors)) == [131_072.0, 1.0]
    assert read(norms([*tensors, beside])) == [131_072.0, 1.0, 5.0]
    assert read(norms([torch.ones(2049, dtype=kind)], 0)) == [2049.0]
