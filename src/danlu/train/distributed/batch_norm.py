"""Batch normalisation over the samples of all processes, as one process would do it.

torch's SyncBatchNorm is for GPUs alone; this one gathers counts, means and squares through whatever joins the
processes, and adds them as Chan et al. 1983 do (https://doi.org/10.1080/00031305.1983.10483115).
"""

import functools
from typing import Any

import torch
from torch import Tensor, nn

from danlu.train.distributed.group import TrainingGroup
from danlu.train.norms import BATCH_NORMS

_Norm = Any  # one of these: what they share, torch keeps in a class without a public name


class _Rows(torch.autograd.Function):
    """What each process has, [world, …]; the gradient of a row is the sum of what all say of it."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, group: TrainingGroup) -> Tensor:
        ctx.group = group
        return group.rows(own.contiguous())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.group.add(gradients[0].clone().contiguous())[ctx.group.rank], None


class SynchronisedNorm:
    """Lets the batch-norm layers of a net normalise over the batches of all processes while a call of `forward` runs.

    Entered, the layers ask here what to do; left, they are as before. A copy of a layer, and any call of one that is
    not made by `calling`, does what torch's does: no other process would answer.
    """

    def __init__(self, net: nn.Module, group: TrainingGroup) -> None:
        self.layers: list[_Norm] = [module for module in net.modules() if type(module) in BATCH_NORMS]
        self._group = group
        self._counts: float | None = None  # by how much this process's samples count; None: nobody is called

    def __deepcopy__(self, memo: dict[int, Any]) -> "SynchronisedNorm":
        return SynchronisedNorm(nn.Identity(), self._group)

    def attach(self) -> None:
        """The layers ask here from now on."""
        for layer in self.layers:
            layer.forward = functools.partial(_forward, self, layer)

    def detach(self) -> None:
        """The layers are torch's again."""
        for layer in self.layers:
            vars(layer).pop("forward", None)

    def calling(self, counts: float, call: Any, *inputs: Any) -> Any:
        """What `call` gives, all processes calling theirs at the same time; `counts` is 0 for one without samples."""
        self._counts = counts
        try:
            return call(*inputs)
        finally:
            self._counts = None

    def normalised(self, layer: _Norm, inputs: Tensor) -> Tensor:
        """`inputs` [N, C, …] normalised over the samples of all processes; the running statistics follow."""
        counts = self._counts
        if counts is None or not (layer.training or layer.running_mean is None):
            return type(layer).forward(layer, inputs)
        layer._check_input_dim(inputs)
        values = inputs.float() if inputs.dtype in (torch.float16, torch.bfloat16) else inputs
        others = [axis for axis in range(values.ndim) if axis != 1]
        shape = [1, -1, *[1] * (values.ndim - 2)]
        channels = values.shape[1]
        mean = values.mean(others)
        squares = ((values - mean.view(shape)) ** 2).sum(others)
        size = values.new_full((1,), counts * values.numel() / channels)
        rows: Any = _Rows.apply(torch.cat([mean, squares * counts, size]), self._group)
        sizes, means = rows[:, -1:].detach(), rows[:, :channels]
        total = float(sizes.sum())
        mean = (sizes * means).sum(0) / total
        squares = rows[:, channels : 2 * channels].sum(0) + (sizes * (means - mean) ** 2).sum(0)
        if layer.training and layer.track_running_stats:
            _follow(layer, mean.detach(), squares.detach() / max(1.0, total - 1))
        scale = torch.rsqrt(squares / total + layer.eps)
        scale = scale if layer.weight is None else scale * layer.weight
        offset = -mean * scale if layer.bias is None else layer.bias - mean * scale
        return (values * scale.view(shape) + offset.view(shape)).to(inputs.dtype)


def _forward(synchronised: SynchronisedNorm, layer: _Norm, inputs: Tensor) -> Tensor:
    return synchronised.normalised(layer, inputs)


def _follow(layer: _Norm, mean: Tensor, variance: Tensor) -> None:
    """The running statistics take up a step's, as torch's layer does it."""
    counted = layer.num_batches_tracked
    counted.add_(1)
    share = 1.0 / float(counted) if layer.momentum is None else layer.momentum
    layer.running_mean.mul_(1 - share).add_(mean.to(layer.running_mean.dtype), alpha=share)
    layer.running_var.mul_(1 - share).add_(variance.to(layer.running_var.dtype), alpha=share)
