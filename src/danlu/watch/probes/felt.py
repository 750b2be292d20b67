"""What a loss asked of each place, read from the gradient that came back: also where no function of torch's made it."""

import torch

from danlu.watch.patches import LossCall
from danlu.watch.probes.answers import first_answer

_MOST_NUMBERS = 2**24  # of a gradient
_FEWEST = 3  # classes
_BALANCED = 1e-2  # sum of a place's gradient over the sum of its sizes: that of a softmax is 0
_SHARE = 0.98  # of the places that must look so
_NOT_ASKED = -100
_FEWEST_PLACES, _MOST_FEATURES = 4, 8
_ROUNDING = 1e-4  # of a gradient: sums in float32
_MOST_INSIDE, _PADDED_ROWS = 0.02, 0.3  # as of rows of tokens


class FeltAnswers:
    """The gradient of one call's first answer, once a backward pass has run. Nothing of it is changed.

    >>> logits = torch.zeros(2, 3, 4, requires_grad=True) + 0.0
    >>> felt = FeltAnswers([logits])
    >>> (-logits.log_softmax(2)[:, :2, 1].sum()).backward()
    >>> felt.loss().targets.tolist()
    [[1, 1, -100], [1, 1, -100]]
    """

    def __init__(self, answers: list[torch.Tensor]) -> None:
        first = first_answer(answers)
        self._answers = first.detach() if first is not None else None
        self._gradient: torch.Tensor | None = None
        if first is not None and first.grad_fn is not None and first.dim() in (2, 3) and first.numel() <= _MOST_NUMBERS:
            first.register_hook(self._keep)

    def _keep(self, gradient: torch.Tensor) -> None:
        self._gradient = gradient.detach()

    def loss(self) -> LossCall | None:
        """The cross-entropy [N, T, V] that sends such a gradient back: at each place it is p - 1 for one class and p
        for the others, and nothing where the place was not asked. None where another loss did."""
        gradient, answers = self._gradient, self._answers
        if gradient is None or answers is None or gradient.dim() != 3 or gradient.shape[2] < _FEWEST:
            return None
        rows = gradient.float().reshape(-1, gradient.shape[2])
        sizes = rows.abs().sum(1)
        asked = sizes > 0
        if not bool(torch.isfinite(sizes).all()) or not bool(asked.any()):
            return None
        told = (rows.sum(1).abs() <= _BALANCED * sizes) & ((rows < 0).sum(1) == 1)
        if float(told[asked].float().mean()) < _SHARE:
            return None
        targets = rows.argmin(1).masked_fill(~asked, _NOT_ASKED).reshape(gradient.shape[:2])
        return LossCall("cross_entropy_loss", "classes", answers, targets, weighted=False, summed=False,
                        ignored=_NOT_ASKED)  # fmt: skip

    def zeros_at_the_end(self) -> float:
        """Of the places [N, T] or [N, T, D] that a squared loss asked for, the share at which the numbers asked for
        are the zeros that rows end in, of several lengths: there its gradient is the answer times one number. NaN where
        rows do not end so, zeros stand before the end too, or the loss left these places out.

        >>> answers = torch.randn(6, 8, requires_grad=True) * 1.0
        >>> real = torch.arange(8) < torch.tensor([8, 3, 6, 4, 5, 2])[:, None]
        >>> felt = FeltAnswers([answers])
        >>> torch.nn.functional.mse_loss(answers, torch.ones(6, 8) * real).backward()
        >>> round(felt.zeros_at_the_end(), 2)
        0.42
        """
        gradient, answers = self._gradient, self._answers
        if gradient is None or answers is None or gradient.shape[1] < _FEWEST_PLACES or len(gradient) < _FEWEST:
            return float("nan")
        asked, told = (one.double().reshape(*one.shape[:2], -1) for one in (gradient, answers))
        last = (asked[:, -1] / told[:, -1]).flatten()
        factor = last[last.isfinite()].median() if bool(last.isfinite().any()) else last.new_tensor(0.0)
        if not float(factor) > 0 or asked.shape[2] > _MOST_FEATURES:
            return float("nan")
        zero = ((asked - factor * told).abs() <= _ROUNDING * (factor * told).abs()).all(2)
        tail = zero.flip(1).cumprod(1).flip(1).bool()
        runs = tail.sum(1)
        inside = float((zero & ~tail).sum()) / max(1.0, float(zero.sum()))
        several = len(runs.unique()) > 1 and bool((runs < tail.shape[1]).any())
        if not several or inside > _MOST_INSIDE or float((runs >= 2).double().mean()) < _PADDED_ROWS:
            return float("nan")
        counted = (asked != 0).any(2) | tail
        return float(tail.double().sum() / counted.sum())
