"""One step rehearsed before the training: what fails only in training mode fails here, and is told with its layer."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import Fault, UserError, fail
from danlu.base.memory import is_out_of_memory
from danlu.nets.describe import undisturbed
from danlu.nets.own_file import telling_line
from danlu.nets.trace import Trace, reason_of


def rehearse(net: nn.Module, sample_shape: Sequence[int], samples: int, *, dtype: torch.dtype = torch.float32) -> None:
    """Run `net` forward and backward in training mode on a batch of as many `samples` of zeros.

    Buffers, gradients and generators are left as they were. Raises UserError where a layer fails, or where no gradient
    comes back to the parameters.

    >>> rehearse(nn.Linear(3, 1), (3,), samples=2)
    """
    device = next((weight.device for weight in net.parameters()), torch.device("cpu"))
    kept = [(weight, weight.grad) for weight in net.parameters()]
    batch = torch.full((samples, *sample_shape), 0 if dtype.is_floating_point else 1, dtype=dtype, device=device)
    try:
        with undisturbed(net, training=True):
            output = Trace(net, {}, batch).run()
            if not output.requires_grad:
                fail("nets.no-gradient")
            _backward(output)
    finally:
        for weight, gradient in kept:
            weight.grad = gradient


def _backward(output: Tensor) -> None:
    try:
        total: Any = output.sum()
        total.backward()
    except Warning:  # an error only where the caller wants it so
        raise
    except Exception as error:  # a net is the user's code: whatever it raises is told as theirs
        if is_out_of_memory(error):
            raise
        fault = Fault("nets.backward-failed", {"reason": reason_of(error)})
        raise UserError(telling_line(error, fault)) from error
