"""Losses with functions of the user's own in their graph: drawn, or told why not."""

from typing import Any

import pytest
import torch
from torch import Tensor

from danlu.base.errors import UserError
from danlu.nets.autograd import autograd_graph


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * grads[0]


class Pair(torch.autograd.Function):
    """Two outputs, and an argument that is no tensor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> tuple[Tensor, Tensor]:
        ctx.factor = factor
        return x * factor, x.clone()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return grads[0] * ctx.factor + grads[1], None


class NoWay(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 1

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise ValueError("no way back")


def w() -> Tensor:
    return torch.tensor(3.0, requires_grad=True)


def test_an_own_function_is_drawn_with_its_gradients() -> None:
    weight = w()
    graph = autograd_graph(Square.apply(weight) + 1, {"w": weight})  # pyright: ignore[reportUnknownArgumentType]
    found = {node.title: (node.value, node.gradient) for node in graph.nodes}
    assert found["w"] == ("3", "6")
    assert found["Square"][1] == "1"
    assert weight.grad is None


def test_one_of_several_outputs_and_arguments() -> None:
    first, second = Pair.apply(w(), 2.0)  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
    graph = autograd_graph(first * second)  # pyright: ignore[reportUnknownArgumentType]
    assert next(node for node in graph.nodes if node.role == "leaf").gradient == "12"


def test_a_backward_that_fails_is_told(language: str) -> None:
    with pytest.raises(UserError, match="ValueError.*no way back"):
        autograd_graph(NoWay.apply(w()) * 2)  # pyright: ignore[reportUnknownArgumentType, reportOptionalOperand]
