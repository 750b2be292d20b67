"""The hand-written derivative: right in first and second order, under vmap, and equal to torch's own."""

import torch
from torch import nn

from danlu.nets.by_hand import Swish, SwishFunction


def numbers() -> torch.Tensor:
    return torch.linspace(-6, 6, 13, dtype=torch.float64)


def test_gradients_equal_finite_differences() -> None:
    x = numbers().requires_grad_()
    assert torch.autograd.gradcheck(SwishFunction.apply, (x,))
    assert torch.autograd.gradgradcheck(SwishFunction.apply, (x,))


def test_equals_silu() -> None:
    ours, theirs = numbers().requires_grad_(), numbers().requires_grad_()
    y = Swish()(ours)
    expected = nn.SiLU()(theirs)
    torch.testing.assert_close(y, expected)
    y.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_works_for_stacked_models() -> None:
    gradient = torch.vmap(torch.func.grad(lambda x: SwishFunction.apply(x).sum()))(numbers().reshape(13, 1))
    single = numbers().requires_grad_()
    SwishFunction.apply(single).sum().backward()
    torch.testing.assert_close(gradient.flatten(), single.grad)
