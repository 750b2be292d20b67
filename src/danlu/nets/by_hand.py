"""A derivative written by hand: how to give PyTorch an operation together with its own backward.

Rarely needed, because autograd differentiates whatever is made of torch's operations. It pays where the derivative is
cheaper than what autograd would keep: this one keeps x alone.
"""

from typing import Any

import torch
from torch import Tensor, nn


class SwishFunction(torch.autograd.Function):
    """x·σ(x) with its derivative σ(x)·(1 + x·(1 - σ(x))), element by element; input and output have one shape.

    The three parts every such function has: `forward` computes and knows nothing of gradients; `setup_context` keeps
    what the backward will need (tensors only through `save_for_backward`); `backward` takes the gradient of the loss
    with respect to the output and gives that with respect to each input: the chain rule's one link. Whether it is right
    is a question for numbers: `torch.autograd.gradcheck` compares it with finite differences, in float64.
    Call it through `SwishFunction.apply`. Ramachandran et al. 2017, https://arxiv.org/abs/1710.05941.

    >>> x = torch.linspace(-3, 3, 7, dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(SwishFunction.apply, (x,))
    True
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x * torch.sigmoid(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        sigmoid = torch.sigmoid(x)
        return grad_outputs[0] * sigmoid * (1 + x * (1 - sigmoid))


class Swish(nn.Module):
    """The activation x·σ(x) as a layer with the hand-written backward above; it equals `nn.SiLU`.

    >>> Swish()(torch.zeros(2, 3)).shape
    torch.Size([2, 3])
    """

    def forward(self, x: Tensor) -> Tensor:
        return SwishFunction.apply(x)
