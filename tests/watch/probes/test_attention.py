"""The axis of a softmax in front of a product, read from the graph."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.watch.probes.attention import has_attention, weighs_samples_against_each_other, wrong_axis
from danlu.watch.probes.graph import Graph

X = torch.randn(2, 3, 5, 4, requires_grad=True)


def graph(output: torch.Tensor) -> Graph:
    assert output.grad_fn is not None
    return Graph.of(output.sum().grad_fn)


ATTENTIONS: dict[str, tuple[Callable[[], torch.Tensor], tuple[int, tuple[int, ...]] | None]] = {
    "over the keys": (lambda: (X @ X.transpose(2, 3)).softmax(-1) @ X, None),
    "over the queries": (lambda: (X @ X.transpose(2, 3)).softmax(-2) @ X, (2, (2, 3, 5, 5))),
    "over the heads": (lambda: (X @ X.transpose(2, 3)).softmax(1) @ X, (1, (2, 3, 5, 5))),
    "over the batch": (lambda: torch.bmm((X[0] @ X[0].transpose(1, 2)).softmax(0), X[0]), (0, (3, 5, 5))),
    "filled and dropped": (
        lambda: nn.functional.dropout((X @ X.transpose(2, 3)).softmax(2), 0.1).masked_fill(X[..., :1] > 0, 0) @ X,
        (2, (2, 3, 5, 5)),
    ),
    "summed from the other side": (lambda: X.transpose(2, 3) @ (X @ X.transpose(2, 3)).softmax(-2), None),
    "turned round": (lambda: (X @ X.transpose(2, 3)).softmax(-2).transpose(2, 3) @ X, None),
    "by einsum": (
        lambda: torch.einsum("bhij,bjhd->bihd", (X @ X.transpose(2, 3)).softmax(-1), X.transpose(1, 2)),
        None,
    ),
    "by einsum, over the queries": (
        lambda: torch.einsum("bhij,bjhd->bihd", (X @ X.transpose(2, 3)).softmax(-2), X.transpose(1, 2)),
        (2, (2, 3, 5, 5)),
    ),
    "by einsum, from the other side": (
        lambda: torch.einsum("bjhd,bhij->bihd", X.transpose(1, 2), (X @ X.transpose(2, 3)).softmax(2)),
        (2, (2, 3, 5, 5)),
    ),
    "by einsum, turned round": (
        lambda: torch.einsum("bhji,bjhd->bihd", (X @ X.transpose(2, 3)).softmax(-2), X.transpose(1, 2)),
        None,
    ),
    "of torch": (lambda: nn.functional.scaled_dot_product_attention(X, X, X), None),
    "none": (lambda: X.softmax(0) * X, None),
}


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_the_axis_that_sums_to_1_is_the_one_that_is_summed_over(kind: str) -> None:
    make, found = ATTENTIONS[kind]
    assert wrong_axis(graph(make())) == found


@pytest.mark.parametrize("kind", ATTENTIONS)
def test_attention_is_known(kind: str) -> None:
    if "turned" not in kind and "einsum" not in kind:  # what lies between is not looked through
        assert has_attention(graph(ATTENTIONS[kind][0]())) == (kind != "none")


def test_an_encoder_of_torch_attends() -> None:
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    assert has_attention(graph(layer(X[0])))
    assert wrong_axis(graph(layer(X[0]))) is None
    assert not has_attention(graph(nn.LSTM(4, 4)(X[0])[0]))


@pytest.mark.parametrize(("axis", "samples", "over"), [(0, 5, True), (-1, 5, False), (0, 4, False), (0, 1, False)])
def test_weights_that_sum_to_1_over_the_samples(axis: int, samples: int, over: bool) -> None:
    gate = X[0, 0].softmax(axis)  # [5, 4]
    assert weighs_samples_against_each_other(graph(gate * X[1, 0]), samples) is over


@pytest.mark.parametrize(("axis", "samples", "over"), [(0, 5, True), (0, 3, True), (0, 7, False), (1, 5, False)])
def test_weights_of_all_places_of_all_samples(axis: int, samples: int, over: bool) -> None:
    tokens = X[0].flatten(0, 1)  # [3 · 5, 4]
    assert weighs_samples_against_each_other(graph(tokens.softmax(axis) * tokens), samples) is over
