"""How hard a sample of each class pulls at what the net answers: the weight that a loss gives it, in whatever way."""

from collections.abc import Callable, Sequence

import torch

from danlu.watch.probes.head import Criterion
from danlu.watch.tracing import unreadable

_MOST_CLASSES = 100
_MOST_ROWS = 4_096
Pulls = dict[int, tuple[float, float, int]]
"""By class: the sum of products of a sample's gradient with that of the plain loss, of the squares of the latter, and
the number of samples. The first over the second is the weight."""


def listen(criterion: Criterion, outputs: torch.Tensor, targets: torch.Tensor, note: Callable[[Pulls], None]) -> None:
    """Measure the pull of each class as the backward pass comes by what the net has answered: `outputs` are the logits
    [N] of a binary loss, or log-probabilities [N, C], with their `targets` [N]; `note` is told of it once."""
    plain = _plain(criterion.name, outputs, targets)
    if plain is None:
        return
    labels = targets.detach().flatten().clone()

    def heard(gradients: Sequence[torch.Tensor | None]) -> None:
        handle.remove()
        own = gradients[0] if gradients else None
        if own is not None and own.numel() == plain.numel() and not unreadable(own):
            note(pulls(own.detach().reshape(plain.shape), plain, labels))

    handle = criterion.start.register_prehook(heard)


def pulls(own: torch.Tensor, plain: torch.Tensor, labels: torch.Tensor) -> Pulls:
    """By class what samples' gradients [N] or [N, C] have in common with the `plain` ones; samples without any, such as
    those that a mask leaves out, are not counted.

    >>> labels, plain = torch.tensor([0, 0, 1]), torch.tensor([0.5, 0.5, -0.5])
    >>> pulls(torch.tensor([0.1, 0.1, -0.4]), plain, labels)[1]
    (0.2..., 0.25, 1)
    """
    own, plain = own.float().reshape(len(labels), -1), plain.float().reshape(len(labels), -1)
    both, size, counted = (own * plain).sum(1), plain.square().sum(1), own.abs().amax(1) > 0
    found: Pulls = {}
    for label in labels.unique().tolist():
        rows = (labels == label) & counted
        if bool(rows.any()):
            found[int(label)] = float(both[rows].sum()), float(size[rows].sum()), int(rows.sum())
    return found


def _plain(loss: str, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor | None:
    """The gradient of a loss without weights; None where it is not known."""
    if not 1 < len(outputs) <= _MOST_ROWS or unreadable(outputs) or unreadable(targets):
        return None
    if loss == "bce-logits" and outputs.numel() == len(outputs) == targets.numel():
        hard = targets.detach().flatten().float()
        return outputs.float().flatten().sigmoid() - hard if bool(((hard == 0) | (hard == 1)).all()) else None
    if loss == "cross-entropy" and outputs.dim() == 2 and targets.dim() == 1 and outputs.shape[1] <= _MOST_CLASSES:
        if targets.dtype.is_floating_point or int(targets.min()) < 0 or int(targets.max()) >= outputs.shape[1]:
            return None
        return outputs.float().exp() - torch.nn.functional.one_hot(targets.long(), outputs.shape[1])
    return None
