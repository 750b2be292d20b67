"""Neighbours sought among the samples that ask."""

import ast

import pytest

from danlu.watch.probes.code_neighbours import finds_itself

SOUGHT = "def score(e, y):\n  near = {likeness}\n  {spared}\n  return (y[near.{nearest}(1)] == y).float().mean()"
CASES = {
    "itself": ({}, 4),
    "distances": ({"likeness": "torch.cdist(e, e)", "nearest": "argmin"}, 4),
    "others": ({"likeness": "e @ gallery.T"}, None),
    "the diagonal is left out": ({"spared": "near.fill_diagonal_(-1)"}, None),
    "masked": ({"spared": "near = near - 9 * torch.eye(len(e))"}, None),
}


@pytest.mark.parametrize("kind", CASES)
def test_who_is_nearest(kind: str) -> None:
    given, line = CASES[kind]
    source = SOUGHT.format(**{"likeness": "e @ e.T", "spared": "pass", "nearest": "argmax"} | given)
    assert finds_itself(ast.parse(source)) == line


def test_the_second_nearest_is_another_one() -> None:
    assert finds_itself(ast.parse("near = e @ e.t()\nlabels = y[near.topk(2)[1][:, 1]]")) is None
