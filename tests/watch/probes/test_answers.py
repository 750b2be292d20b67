"""Answers beside their inputs, and inputs that are changed."""

import pytest
import torch

from danlu.watch.probes.answers import by_place, by_sample, changed, cut, first_answer, moved, size


def test_the_first_tensor_of_several_floating_numbers_is_the_answer() -> None:
    logits = torch.zeros(3, 2)
    assert first_answer([torch.tensor(1.0), torch.zeros(3, dtype=torch.long), logits, torch.zeros(3)]) is logits
    assert first_answer([torch.tensor(1.0)]) is None


@pytest.mark.parametrize(
    ("answers", "inputs", "batch", "shape"),
    [
        ((3, 2), (3, 7), 0, (3, 2)), ((3, 7, 2), (3, 7), 0, (3, 7, 2)), ((7, 3, 2), (7, 3), 1, (3, 7, 2)),
        ((21, 2), (3, 7), 0, (3, 7, 2)), ((21, 2), (7, 3), 1, (3, 7, 2)), ((3, 2), (7, 3, 4), 1, (3, 2)),
        ((5, 2), (3, 7), 0, None),
    ],
)  # fmt: skip
def test_samples_come_first(
    answers: tuple[int, ...], inputs: tuple[int, ...], batch: int, shape: tuple[int, ...] | None
) -> None:
    found = by_sample(torch.zeros(answers), torch.zeros(inputs), batch)
    assert (found if found is None else tuple(found.shape)) == shape


def test_places_that_are_not_there_are_not_seen() -> None:
    assert by_place(torch.zeros(3, 2), torch.zeros(3, 7)) is None


def test_only_what_is_named_is_changed_and_all_of_it() -> None:
    x = torch.randint(3, (4, 6), generator=torch.Generator().manual_seed(0))
    where = torch.rand(4, 6, generator=torch.Generator().manual_seed(1)) < 0.5
    other = changed(x, where, 0)
    assert torch.equal(other[~where], x[~where])
    assert bool((other[where] != x[where]).all())
    assert (int(other.min()), int(other.max())) == (0, 2)
    numbers = torch.zeros(2, 3)
    assert torch.equal(
        changed(numbers, torch.tensor([[True], [False]]).expand(2, 3), 0), torch.eye(2)[:, :1].expand(2, 3)
    )


def test_what_is_not_finite_does_not_count() -> None:
    masked = torch.tensor([1.0, float("-inf"), 2.0])
    assert moved(masked, torch.tensor([1.0, float("-inf"), 4.0])).tolist() == [0, 0, 2]
    assert size(torch.tensor([3.0, float("inf")])) == 3
    assert size(torch.tensor([float("nan")])) == 0


@pytest.mark.parametrize(
    ("shape", "left"),
    [((4, 6), (2, 3)), ((4,), (2,)), ((4, 6, 6), (2, 3, 3)), ((6, 6), (3, 3)), ((5, 6), (5, 6)), ((), ())],
)
def test_what_stands_beside_the_inputs_is_cut_like_them(shape: tuple[int, ...], left: tuple[int, ...]) -> None:
    rows = torch.tensor([True, False, False, True])
    assert cut(torch.zeros(shape), rows, 3, (4, 6)).shape == left
