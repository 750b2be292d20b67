"""The line that makes a layer which no class calls by a name."""

import ast

import pytest
from torch import nn

from danlu.watch.layer_lines import makes_layer

ROWS = """
def block(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3), nn.ReLU())
net = nn.Sequential(
    nn.Flatten(),
    nn.Linear(784, 64), nn.ReLU(), nn.Dropout(0.9),
    nn.Linear(64, 64),
    nn.Dropout(0.9),
    nn.Linear(64, 10),
)
other = nn.Sequential(nn.Linear(8, 8))
"""
NET = nn.Sequential(
    nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Dropout(0.9), nn.Linear(64, 64), nn.Dropout(0.9), nn.Linear(64, 10)
)


@pytest.mark.parametrize(
    ("layer", "within", "line"),
    [
        (NET[1], NET, 6),
        (NET[3], NET, 6),  # two dropouts are alike: their places tell them apart
        (NET[5], NET, 8),
        (NET[3], None, None),
        (NET[6], None, 9),
        (nn.Linear(64, 11), None, None),
        (nn.Conv2d(1, 8, 3), None, 3),  # the numbers of a function are names
        (nn.Conv2d(1, 8, 5), None, None),
        (nn.GRU(3, 4), None, None),
    ],
)
def test_a_layer_is_found_by_its_class_its_numbers_and_its_place(
    layer: nn.Module, within: nn.Module | None, line: int | None
) -> None:
    assert makes_layer(ast.parse(ROWS), layer, within) == line


def test_of_two_rows_alike_none_is_named() -> None:
    twice = "a = nn.Sequential(nn.Linear(2, 2),\n nn.ReLU())\nb = nn.Sequential(nn.Linear(2, 2),\n nn.ReLU())"
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    assert makes_layer(ast.parse(twice), net[0], net) is None
