"""Taking parts away: each patch, column and piece just once, and the effects where they belong."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import CategoryColumn, NumberColumn
from danlu.ship.explain import heat, occluded, patches_of, usual_rows, without_pieces


@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40))
def test_the_patches_cover_the_picture_and_change_nothing_else(channels: int, height: int, width: int) -> None:
    picture = torch.rand(channels, height, width, generator=torch.Generator().manual_seed(0))
    patches = patches_of(picture.shape)
    copies = occluded(picture, patches)
    assert len(copies) == len(patches.places) <= 49
    changed = copies != picture
    assert not changed.flatten(1).all(1).any() or min(height, width) <= 2 or len(copies) == 1
    covered = torch.zeros(height, width, dtype=torch.bool)
    for row, column in patches.places:
        down = slice(patches.rows[row], patches.rows[min(row + 2, len(patches.rows) - 1)])
        across = slice(patches.columns[column], patches.columns[min(column + 2, len(patches.columns) - 1)])
        covered[down, across] = True
    assert covered.all()
    cells = heat(torch.ones(len(copies)), patches)
    assert torch.tensor(cells).allclose(torch.ones(len(cells), len(cells[0])).to(torch.tensor(cells).dtype))


def test_the_heat_is_where_the_answer_rests() -> None:
    patches = patches_of((1, 16, 16))
    effects = [float(place == (0, 6)) for place in patches.places]  # the upper right corner
    cells = torch.tensor(heat(torch.tensor(effects), patches))
    assert divmod(int(cells.argmax()), 8) == (0, 7)


SIZE = NumberColumn("size", "number", median=3.0, mean=1.0, scale=2.0, flag=True)
KIND = CategoryColumn("kind", ("a", "b", "c"), missing=True, usual="b")
OLD = CategoryColumn("old", ("x", "y"), missing=False)


def test_each_column_is_put_to_its_usual_value() -> None:
    row = torch.tensor([9.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0])
    changed, owners = usual_rows(TableEncoder((SIZE, KIND, OLD)), row)
    assert owners == [0, 1, 2, 2], "where the most frequent category is not known, all of them"
    assert changed[0].tolist() == [1.0, 0.0, *row[2:].tolist()]
    assert changed[1].tolist() == [9.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    assert changed[2:, -2:].tolist() == [[1.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("count", [0, 1, 2, 60, 61, 500])
def test_pieces_of_a_text_are_cut_out_once_each(count: int) -> None:
    encoded = torch.arange(2, count + 5)
    encoded[count:] = 0
    shorter, pieces = without_pieces(range(count), encoded)
    assert len(shorter) == len(pieces) <= 60
    assert [place for piece in pieces for place in piece] == (list(range(count)) if count > 1 else [])
    for row, piece in zip(shorter, pieces, strict=True):
        kept = [number for place, number in enumerate(encoded[:count].tolist()) if place not in piece]
        assert row[row > 0].tolist() == kept
