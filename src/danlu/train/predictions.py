"""From what a net gives to what it says: a class, a number, a token."""

import torch
from torch import Tensor


def predicted(outputs: Tensor, task: str, numbers: int = 1) -> Tensor:
    """What `outputs` stand for, by task.

    Classification: logits [N, C], or one logit [N, 1], to class indices int64 [N]. Segmentation: logits [N, C, H, W] to
    classes int64 [N, H, W]. Language: logits [N, T, V] to tokens int64 [N, T]; tagging and translation alike, the
    latter also of tokens that were chosen already. Regression of `numbers`
    targets: numbers [N, …] to [N, numbers], a mixture of K Gaussians [N, K, 1 + 2·numbers] to its mean. Reconstruction:
    the outputs, flattened to [N, numbers].

    >>> predicted(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), "classification")
    tensor([1, 0])
    """
    if task == "translation" and not outputs.is_floating_point():
        return outputs
    if task in ("language", "tagging", "translation"):
        return outputs.argmax(-1)
    if task == "segmentation":
        return outputs.argmax(1)
    if task == "classification":
        return (outputs.flatten() > 0).long() if outputs[0].numel() == 1 else outputs.argmax(dim=1)
    if outputs.ndim == 3 and outputs.shape[2] == 1 + 2 * numbers and task == "regression":
        weights = outputs[..., :1].softmax(1)
        return (weights * outputs[..., 1 : 1 + numbers]).sum(1)
    return outputs.reshape(outputs.shape[0], numbers)


def class_logits(outputs: Tensor) -> Tensor:
    """Logits [N, C]; one logit a sample, [N] or [N, 1], is that of the second of two classes beside a 0: [N, 2].

    >>> class_logits(torch.tensor([[3.0], [-1.0]])).tolist()
    [[0.0, 3.0], [0.0, -1.0]]
    """
    if outputs.numel() != outputs.shape[0]:  # not its len, which torch.export would take for a constant
        return outputs
    one = outputs.reshape(-1, 1)
    return torch.cat([torch.zeros_like(one), one], 1)
