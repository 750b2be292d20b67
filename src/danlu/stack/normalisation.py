"""Batch normalisation of K members: every member has the statistics of its own batch, and its own running ones."""

import torch.nn.functional as F
from torch import Tensor

from danlu.stack.layers import StackedLayer


class BatchNorm(StackedLayer):
    """[K·N, C, …], the members' channels side by side in one native batch normalisation of K·C channels."""

    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def forward(self, x: Tensor) -> Tensor:
        like = self.like
        x = self.around.own(x)
        mean, variance = self.running_mean, self.running_var
        alone = self.members == 1
        y = F.batch_norm(
            x if alone else self.channels_beside(x),
            None if mean is None else mean.view(-1),
            None if variance is None else variance.view(-1),
            None if self.weight is None else self.weight.flatten(),
            None if self.bias is None else self.bias.flatten(),
            self.training or mean is None or variance is None,
            self._share(),
            like.eps,
        )
        return y if alone else self.members_apart(y, self.members)

    def _share(self) -> float:
        """The share of the new batch in the running statistics; counts the batch."""
        if self.num_batches_tracked is not None and self.training:
            self.num_batches_tracked.add_(1)
            if self.like.momentum is None:  # the mean over all batches so far, as many for every member
                return 1.0 / float(self.num_batches_tracked[0])
        return 0.0 if self.like.momentum is None else self.like.momentum
