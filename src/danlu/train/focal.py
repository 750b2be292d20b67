"""The focal loss, which takes from the samples that a net is sure of already."""

import torch
from torch import Tensor

from danlu.base.ignored import IGNORED
from danlu.base.recipe import LossRecipe
from danlu.train.class_weights import ClassWeights, as_tensor

_GAMMA = 2.0  # Lin et al.'s best


def gamma_of(recipe: LossRecipe) -> float:
    """The power of a focal loss, 2 where the recipe names none."""
    return _GAMMA if recipe.gamma is None else recipe.gamma


def focal(
    outputs: Tensor, targets: Tensor, *, reduction: str = "mean", gamma: float = _GAMMA, weights: ClassWeights = ()
) -> Tensor:
    """-(1 - p)^γ · log p of the probability p that logits [N, C], or one logit [N, 1], give to the classes int64 [N]:
    Lin et al. 2017, https://arxiv.org/abs/1708.02002, equations 4 and 5, with `weights` for their α.

    Of a batch of pixels, [N, C, H, W] against [N, H, W], or of tokens, [N, T, C] against [N, T], those that are
    IGNORED do not count. With γ = 0 it is cross-entropy, and the weights count as they do there: the mean is over them.

    >>> round(float(focal(torch.zeros(1, 2), torch.tensor([1]), gamma=2.0)), 4)  # ln 2 / 4
    0.1733
    """
    if outputs.ndim > 2:
        outputs = (outputs.movedim(1, -1) if outputs.ndim == 4 else outputs).flatten(0, -2)
        known = targets.flatten() != IGNORED
        outputs, targets = outputs[known], targets.flatten()[known]
    if outputs.shape[-1] == 1:
        outputs = torch.cat([torch.zeros_like(outputs), outputs], -1)
    logs = outputs.log_softmax(-1).gather(-1, targets[:, None]).squeeze(-1)
    losses = -missed(logs).pow(gamma) * logs
    weight = as_tensor(weights, losses)
    counted = None if weight is None else weight[targets]
    if counted is not None:
        losses = losses * counted
    if reduction == "none":
        return losses
    if reduction == "sum" or not len(losses):
        return losses.sum()
    return losses.mean() if counted is None else losses.sum() / counted.sum()


def missed(logs: Tensor) -> Tensor:
    """1 - p of log p, exact where p is near 1; never 0, of which a power below 1 has no slope.

    >>> missed(torch.tensor([0.0])) > 0
    tensor([True])
    """
    return (-logs.expm1()).clamp(min=torch.finfo(logs.dtype).tiny)
