"""Splits are disjoint, whole, seeded, and fair to every class."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.data.split import by_class, split

SHARES = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.3, 0.45])


@given(count=st.integers(10, 300), validation=SHARES, test=SHARES, seed=st.integers(0, 2**40))
def test_parts_are_disjoint_and_their_union_is_whole(count: int, validation: float, test: float, seed: int) -> None:
    rows = split(count, validation, test, seed)
    assert torch.equal(torch.cat(list(rows.values())).sort().values, torch.arange(count))
    for part, share in (("validation", validation), ("test", test)):
        assert len(rows[part]) == (max(1, round(count * share)) if share else 0)


@given(
    sizes=st.lists(st.integers(1, 60), min_size=2, max_size=8),
    validation=SHARES,
    test=SHARES,
    seed=st.integers(0, 2**40),
)
def test_stratified_parts_give_every_class_its_share(
    sizes: list[int], validation: float, test: float, seed: int
) -> None:
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))]
    count = len(labels)
    if max(1, round(count * validation)) + max(1, round(count * test)) >= count:
        return
    rows = split(count, validation, test, seed, labels)
    assert torch.equal(torch.cat(list(rows.values())).sort().values, torch.arange(count))
    assert len(rows["validation"]) == (max(1, round(count * validation)) if validation else 0)
    assert len(rows["test"]) == (max(1, round(count * test)) if test else 0)
    if min(sizes) >= 20:
        for label, size in enumerate(sizes):
            for part, share in (("train", 1 - validation - test), ("validation", validation), ("test", test)):
                assert abs((labels[rows[part]] == label).sum().item() - size * share) <= 1 + 1e-9


def test_the_same_seed_draws_the_same_split_and_another_seed_another_one() -> None:
    labels = torch.arange(100) % 3
    once, again, other = (split(100, 0.1, 0.2, seed, labels) for seed in (5, 5, 6))
    assert all(torch.equal(once[part], again[part]) for part in once)
    assert not torch.equal(once["test"], other["test"])


def test_a_class_with_one_sample_stays_in_training() -> None:
    labels = torch.tensor([0] * 50 + [1] * 49 + [2])
    for seed in range(20):
        assert 99 in split(100, 0.1, 0.2, seed, labels)["train"]


def test_classes_too_small_to_share_out_are_split_without_regard_to_them() -> None:
    rows = split(10, 0.2, 0.2, 0, torch.arange(10))
    assert {part: len(chosen) for part, chosen in rows.items()} == {"train": 6, "validation": 2, "test": 2}


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (-0.1, 0.2), (0.0, 1.0)])
def test_shares_that_leave_nothing_to_train_on_are_refused(validation: float, test: float, language: str) -> None:
    words = {"en": "their sum below 1", "zh": "总和必须小于 1"}
    with pytest.raises(UserError, match=words[language]):
        split(100, validation, test, 0)


def test_too_few_samples_are_refused(language: str) -> None:
    words = {"en": "2 samples are too few to split: 1 for validation and 1 for test", "zh": "只有 2 个样本，无法划分"}
    with pytest.raises(UserError, match=words[language]):
        split(2, 0.1, 0.1, 0)


@given(labels=st.lists(st.integers(-2, 70), min_size=1, max_size=80))
def test_the_rows_of_each_class_are_those_that_sorting_finds(labels: list[int]) -> None:
    given_labels = torch.tensor(labels)
    sizes = given_labels.unique(return_counts=True)[1].tolist()
    wanted = given_labels.argsort(stable=True).split(sizes)
    found = by_class(given_labels)
    assert len(found) == len(wanted)
    assert all(map(torch.equal, found, wanted))


def test_a_split_that_was_drawn_once_is_drawn_again() -> None:
    rows = split(12, 0.25, 0.25, 3, torch.tensor([0, 1] * 6))
    assert [part.tolist() for part in rows.values()] == [[2, 3, 4, 9, 10, 11], [6, 7, 8], [0, 1, 5]]
