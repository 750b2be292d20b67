"""What the tests of nets share: the check of a module's gradients against finite differences."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.base.seeds import global_seed, stream

GradientCheck = Callable[..., bool]


@pytest.fixture
def gradients_agree() -> GradientCheck:
    """Whether the gradients of `module`, with respect to input and parameters, equal finite differences in float64."""

    def check(build: Callable[[], nn.Module], *shape: int) -> bool:
        with global_seed(0, "test"):
            module = build().double()
        x = torch.randn(*shape, dtype=torch.float64, generator=stream(0, "test")).requires_grad_()
        weights = dict(module.named_parameters())

        def forward(x: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
            with global_seed(0, "dropout"):
                return torch.func.functional_call(module, dict(zip(weights, values, strict=True)), (x,))

        return torch.autograd.gradcheck(forward, (x, *weights.values()), fast_mode=True)

    return check
