"""What one part of a batch gives to a step, as one row of numbers: its gradient, what its buffers did, its loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_NUMBERS = 4  # loss, counted, terms, whether it had samples


@dataclass(frozen=True)
class Summed:
    """The sum over all parts of a batch, whose gradients are in place."""

    loss: Tensor  # 0-d
    counted: float  # by what the mean loss is divided
    terms: float  # over how many terms it goes


class PartRows:
    """Packs the gradients of `parameters`, and the changes of `buffers`, of one part of a batch; unpacks their sum.

    A parameter that no part reaches comes out without a gradient, as autograd leaves it. Rows are `like` the net's
    weights in type and device.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], buffers: Sequence[Tensor], like: Tensor) -> None:
        self._parameters = parameters
        self._dtype, self._device = like.dtype, like.device
        self._buffers = [buffer for buffer in buffers if buffer.dtype != torch.bool and not buffer.is_complex()]
        self._before: list[Tensor] = []
        self._tail = len(parameters) + _NUMBERS

    def begin(self) -> None:
        """A step begins: its parts all start from the buffers as they are now."""
        self._before = [buffer.clone() for buffer in self._buffers]

    def begin_part(self) -> None:
        """A part begins: no gradient, and the buffers of the step's beginning."""
        for parameter in self._parameters:
            parameter.grad = None
        for buffer, before in zip(self._buffers, self._before, strict=True):
            buffer.copy_(before)

    def empty(self) -> Tensor:
        """The row of a part without samples."""
        size = sum(one.numel() for one in (*self._parameters, *self._buffers)) + self._tail
        return torch.zeros(size, dtype=self._dtype, device=self._device)

    def packed(self, loss: Tensor, counts: tuple[float | Tensor, int] | None) -> Tensor:
        """The row of the part that was carried out last: `counts` is by what its mean loss is divided, and over how
        many terms it goes; None where it had no samples.
        """
        row, place = self.empty(), 0
        tail = row[-self._tail :]
        for number, parameter in enumerate(self._parameters):
            gradient = parameter.grad
            if gradient is not None:
                gradient = gradient.to_dense() if gradient.is_sparse else gradient
                row[place : place + parameter.numel()] = gradient.reshape(-1)
                tail[number] = 1
            place += parameter.numel()
        if counts is None:
            return row
        for buffer, before in zip(self._buffers, self._before, strict=True):
            row[place : place + buffer.numel()] = (buffer - before).reshape(-1)
            place += buffer.numel()
        tail[-4], tail[-3], tail[-2], tail[-1] = loss, counts[0], counts[1], 1
        return row

    def totals(self, rows: Sequence[Tensor]) -> tuple[float, float, float]:
        """Of some parts together: their loss, by what it is divided, and the norm of their gradient."""
        total = rows[0] if len(rows) == 1 else torch.stack(list(rows)).sum(0)
        size = sum(parameter.numel() for parameter in self._parameters)
        numbers = torch.stack([total[-4], total[-3], torch.linalg.vector_norm(total[:size])]).tolist()
        return numbers[0], numbers[1], numbers[2]

    def unpack(self, row: Tensor) -> Summed:
        """Put the sum of all parts' rows in its place: gradients, and the mean change of the buffers."""
        place, tail = 0, row[-self._tail :].tolist()
        for number, parameter in enumerate(self._parameters):
            after, parameter.grad = place + parameter.numel(), None
            if tail[number]:
                parameter.grad = torch.empty_like(parameter).copy_(row[place:after].view_as(parameter))
            place = after
        for buffer, before in zip(self._buffers, self._before, strict=True):
            change = row[place : place + buffer.numel()].view_as(buffer) / tail[-1]
            change = change if buffer.is_floating_point() else change.round().to(buffer.dtype)
            buffer.copy_(before + change)
            place += buffer.numel()
        return Summed(row[-4].clone(), tail[-3], tail[-2])
