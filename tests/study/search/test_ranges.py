"""Ranges as people write them, and what is told where they cannot be searched."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.base.recipe import NetRecipe, Recipe
from danlu.study.search.ranges import Range, ranges_of

MLP = Recipe(net=NetRecipe(name="mlp"))


@pytest.mark.parametrize(
    ("name", "written", "told"),
    [
        ("lr", "1e-4..1", "optim.lr=log:0.0001..1"),
        ("optim.lr", (1e-4, 1), "optim.lr=log:0.0001..1"),
        ("lr", "linear:0.01..1", "optim.lr=linear:0.01..1"),
        ("momentum", "0..0.99", "optim.momentum=linear:0..0.99"),
        ("dropout", [0, 0.5], "net.dropout=linear:0..0.5"),
        ("weight_decay", "log: 1e-6 .. 1e-2", "optim.weight_decay=log:1e-06..0.01"),
        ("batch_size", "8..64", "train.batch_size=linear:8..64"),
        ("net.depth", "1..4", "net.depth=linear:1..4"),
    ],
)
def test_ranges_are_read(name: str, written: Any, told: str) -> None:
    (found,) = ranges_of(MLP, {name: written})
    assert str(found) == told
    assert found.whole == (found.key in ("train.batch_size", "net.depth"))


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "Nothing to search"),
        ({"lr": "1..1e-4"}, "from 1 to 0.0001; the lower end must come first"),
        ({"lr": "0.1..0.1"}, "the lower end must come first"),
        ({"optim.lrr": "1e-4..1"}, r"optim\.lrr.*Did you mean \"optim\.lr\""),
        ({"lr": "small..large"}, "is no range"),
        ({"lr": 0.1}, "0.1 is no range"),
        ({"lr": (1, 2, 3)}, "is no range"),
        ({"optim.lrr": "small"}, r"(?s)is no range.*Did you mean"),
        ({"net.activation": "1..2"}, "net.activation is no number"),
        ({"lr": "-1..1"}, "optim.lr is -1; it must be a number above 0"),
        ({"momentum": "log:0..0.9"}, "must begin above 0"),
        ({"seed": "0..9"}, "Use seeds"),
        ({"data.validation": "0.1..0.5"}, "cannot be compared"),
        ({"batch_size": "0.5..8"}, "train.batch_size is 0.5; it must be a whole number"),
        ({"lr": "1e-4..1", "optim.lr": "1e-3..1"}, "named twice"),
        ({"optim.lrr": "1..2", "momentun": "0..0.9"}, r"(?s)optim\.lrr.*momentum"),
    ],
)
def test_what_cannot_be_searched_is_told_all_at_once(space: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ranges_of(MLP, space)


@given(share=st.floats(0, 1, exclude_max=True), log=st.booleans(), whole=st.booleans())
def test_every_share_of_the_way_lies_inside(share: float, log: bool, whole: bool) -> None:
    one = Range("train.batch_size", 2, 300, log=log, whole=whole)
    assert one.holds(one.at(share))
    assert one.at(0.0) == 2
