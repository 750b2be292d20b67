"""Samples that are their own targets."""

from pathlib import Path

import pytest
import torch

from danlu.base.errors import UserError
from danlu.data import load, reconstruction

CPU = torch.device("cpu")


def test_each_sample_is_its_own_target_from_0_to_1() -> None:
    data = load("digits", task="reconstruction")
    assert (data.task, data.outputs, data.sample_shape) == ("reconstruction", 64, (1, 8, 8))
    x, y = next(data.batches("train", 50, shuffle=True, device=CPU))
    assert torch.equal(y, x.flatten(1))
    assert (x.min(), x.max()) == (0.0, 1.0)
    plain, _ = next(load("digits", standardise=False).batches("train", 50, shuffle=True, device=CPU))
    assert torch.equal(x, plain), "the same samples in the same order"


def test_a_batch_in_the_middle_is_that_of_a_whole_epoch() -> None:
    data = load("digits", task="reconstruction")
    whole = [x for x, _ in data.batches("train", 100, seed=3, epoch=1, shuffle=True, device=CPU)]
    rest = [x for x, _ in data.batches("train", 100, seed=3, epoch=1, start=5, shuffle=True, device=CPU)]
    assert len(whole) == data.batch_count("train", 100)
    assert all(torch.equal(x, y) for x, y in zip(whole[5:], rest, strict=True))


def test_standardised_only_where_asked() -> None:
    data = load("digits", task="reconstruction", standardise=True)
    x, _ = next(data.batches("train", 100, device=CPU))
    assert x.min() < 0
    table = load("diabetes", task="reconstruction")
    assert table.outputs == table.sample_shape[0]


def test_loaded_pictures_turn_into_it_with_their_brightness() -> None:
    data = reconstruction(load("digits"))
    x, y = next(data.batches("train", 100, device=CPU))
    assert (x.min(), x.max()) == (0.0, 1.0)
    assert torch.equal(y, x.flatten(1))


def test_folds_stay_what_they_are() -> None:
    folds = list(load("digits", task="reconstruction").folds(3))
    assert [fold.task for fold in folds] == ["reconstruction"] * 3
    assert len({fold.fingerprint() for fold in folds}) == 3


@pytest.mark.every(2)
def test_tokens_are_refused(data_root: Path, language: str) -> None:
    with pytest.raises(UserError, match="names"):
        load("names", root=str(data_root), task="reconstruction")
