"""Places that change places."""

import torch
from torch import nn

from danlu.watch.probes.orders import other_orders
from danlu.watch.probes.sequences import padding_of


def test_tokens_are_turned_between_the_first_and_the_last() -> None:
    x = torch.arange(14).reshape(2, 7)
    [(turned, order)] = other_orders(x, None, None, [])
    assert order is not None
    assert order.tolist() == [0, 5, 4, 3, 2, 1, 6]
    assert torch.equal(turned, x[:, order])


def test_padding_stays() -> None:
    x = torch.tensor([[5, 6, 7, 8, 9, 4, 3, 0], [5, 6, 7, 8, 9, 4, 0, 0], [1, 2, 3, 4, 5, 6, 0, 0]])
    [(turned, _)] = other_orders(x, None, padding_of(x), [])
    assert torch.equal(turned[:, 5:], x[:, 5:])


def test_pictures_are_turned_by_patches() -> None:
    x = torch.arange(36.0).reshape(1, 1, 6, 6)
    [(turned, order)] = other_orders(x, None, None, [nn.Conv2d(1, 4, 3, 3)])
    assert order is None
    assert torch.equal(turned[0, 0, :3, :3], x[0, 0, 3:, 3:])


def test_numbers_are_a_sequence_where_neighbours_are_alike() -> None:
    steps = torch.randn(8, 20, 3, generator=torch.Generator().manual_seed(0))
    assert list(other_orders(steps, None, None, [])) == []
    assert len(list(other_orders(steps.cumsum(1), None, None, []))) == 1
