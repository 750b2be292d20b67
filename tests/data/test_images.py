"""Pictures brought to another size, and what becomes of those that a user has in the old one."""

import pytest
import torch

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.memory import MemoryDataset
from danlu.data.transforms.pictures import resize

CPU = torch.device("cpu")
PICTURES = torch.randint(0, 256, (40, 3, 9, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(40) % 2


def test_pictures_are_brought_to_squares_of_the_size_asked_for() -> None:
    plain, squares = load((PICTURES, LABELS)), load((PICTURES, LABELS), image_size=12, augment="crop")
    assert isinstance(plain, MemoryDataset)
    assert isinstance(squares, MemoryDataset)
    assert squares.sample_shape == (3, 12, 12)
    assert torch.equal(squares.x, resize(plain.x, 12, 12))
    assert torch.equal(squares.y, plain.y)
    x, _ = next(squares.batches("train", 8, augment=True, device=CPU))
    assert x.shape == (8, 3, 12, 12)


def test_digits_can_be_made_larger_and_loaded_again_by_their_recipe() -> None:
    data = load("digits", image_size=28)
    assert data.sample_shape == (1, 28, 28)
    assert data.recipe is not None
    assert data.recipe.image_size == 28
    assert data.fingerprint() != load("digits").fingerprint()


def test_pictures_of_the_old_size_and_of_the_new_one_are_encoded(language: str) -> None:
    data = load((PICTURES, LABELS), image_size=12)
    first = data.encode(PICTURES[0])
    assert first.shape == (1, 3, 12, 12)
    assert torch.equal(first, data.encode(resize(PICTURES[:1], 12, 12)))
    assert torch.equal(data.encode(PICTURES[:2].permute(0, 2, 3, 1)), data.encode(PICTURES[:2]))
    words = {"en": r"\[3, 7, 7\] do not fit: one sample must be \[3, 9, 8\]", "zh": r"\[3, 9, 8\]"}
    with pytest.raises(UserError, match=words[language]):
        data.encode(PICTURES[0, :, :7, :7])


def test_rows_that_stand_in_two_parts_are_told_from_the_pictures_as_they_came() -> None:
    nearly = torch.zeros(40, 1, 8, 8, dtype=torch.uint8)
    nearly[torch.arange(40), 0, torch.arange(40) % 8, torch.arange(40) // 8] = 1
    assert load((nearly, LABELS), image_size=1).notes == ()


def test_pixels_that_are_not_standardised_have_no_mean_to_tell() -> None:
    assert "mean" in load("digits").facts()
    assert "mean" not in load("digits", standardise=False).facts()
