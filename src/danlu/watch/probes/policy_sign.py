"""Chances of actions times what followed, in the graph of a loss: whether a step makes good actions likelier, and
whether the entropy beside them is made large."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from danlu.watch.frames import held_under_way
from danlu.watch.measured import Measured
from danlu.watch.probes.endings import arrays_of
from danlu.watch.probes.graph import Node, following, operation, saved
from danlu.watch.tracing import unreadable

_FOLLOWED = re.compile(r"^(r|rs|rews?|rets?|deltas?|gae)$|reward|return|(^|_)adv(s|antages?)?($|_)", re.IGNORECASE)
_FEWEST = 8  # samples
_MOST_NODES = 400
_ALWAYS_UNTIL, _EVERY = 3, 20  # steps that are looked at
_ALIKE = 0.9  # correlation of a factor with what followed
# What single samples go through on their way to a loss, or a chance on its way to the product.
_SUMMING = {
    "Neg", "Sum", "Mean", "MeanDim", "Div", "Mul", "Add", "Sub", "Rsub", "Stack", "Cat", "View", "UnsafeView",
    "Squeeze", "Unsqueeze", "ToCopy", "Clone", "Minimum", "Maximum", "Clamp",
}  # fmt: skip
_KEEPING = {
    "Squeeze", "Unsqueeze", "View", "UnsafeView", "Reshape", "ReshapeAlias", "Stack", "Cat", "Sum", "MeanDim", "Exp",
    "Clone", "ToCopy", "Sub", "Add", "Clamp", "ClampMin", "Slice", "Select", "Index", "Expand", "Log",
}  # fmt: skip


class PolicySignProbe:
    """Hears the gradient that comes by such products; reads nothing else of the backward pass."""

    writes = ("rewarded",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._followed: list[torch.Tensor] = []  # of this step, as functions that compute losses have it

    def met(self, step: int) -> None:
        """A loss was computed."""
        if _is_due(step):
            self._followed += arrays_of(held_under_way(_FOLLOWED), _FOLLOWED)

    def end_step(self) -> None:
        """The step is over."""
        self._followed.clear()

    def looked(self, root: Node, step: int) -> None:
        """A loss is about to go backwards."""
        if not _is_due(step):
            return
        products = [(node, factor, way) for node, factor in weighed(root) if (way := grows_with_chance(node))]
        followed = [*self._followed, *arrays_of(held_under_way(_FOLLOWED), _FOLLOWED)] if products else []
        for node, factor, way in products:
            sign = next((sign for one in followed if (sign := alike(factor, one))), 0)
            if sign:
                self._hear(node, "against", sign * way)
                for other in entropies(root):
                    self._hear(other, "entropy_lowered", -1)
                return

    def _hear(self, node: Node, what: str, sign: int) -> None:
        """Count a backward pass whose gradient at that node, times `sign`, is positive: a step makes it smaller."""

        def heard(gradients: Sequence[Any]) -> None:
            handle.remove()
            own = gradients[0] if gradients else None
            if isinstance(own, torch.Tensor) and not unreadable(own) and bool(own.any()):
                low, high = (float(one) for one in torch.aminmax(own.detach() * sign))
                known: dict[bool, int] = getattr(self._measured.rewarded, what)
                if low >= 0 or high <= 0:
                    known[low >= 0] = known.get(low >= 0, 0) + 1

        handle = node.register_prehook(heard)


def _is_due(step: int) -> bool:
    return step <= _ALWAYS_UNTIL or step % _EVERY == 0


def weighed(root: Node) -> Iterator[tuple[Node, torch.Tensor]]:
    """The products of a result with a number for each sample that has no gradient, above all else of the loss."""
    stack, seen = [root], {root}
    while stack and len(seen) < _MOST_NODES:
        node = stack.pop()
        under = list(following(node))
        if operation(node) == "Mul" and len(under) == 1:
            kept = [one for one in (saved(node, "_saved_self"), saved(node, "_saved_other")) if one is not None]
            if len(kept) == 1 and kept[0].numel() >= _FEWEST and not kept[0].is_complex():
                yield node, kept[0]
                continue
        if operation(node) in _SUMMING:
            stack += [one for one in under if one not in seen]
            seen.update(under)


def grows_with_chance(node: Node) -> int:
    """1 where what a product multiplies grows with the chance of an action (its logarithm, a ratio to an older one), -1
    where it shrinks, as a cross-entropy does; 0 where that is not to be seen.

    >>> log = torch.zeros(8, 2, requires_grad=True).log_softmax(1).gather(1, torch.zeros(8, 1, dtype=torch.long))
    >>> [grows_with_chance((one * torch.ones(8, 1)).grad_fn) for one in (log, -log, log.sigmoid())]
    [1, -1, 0]
    """
    sign, at = 1, next(following(node), None)
    for _ in range(32):
        if at is None:
            return 0
        kind, under = operation(at), next(iter(following(at)), None)
        chances = under is not None and (operation(under) == "Softmax" or _is_log_chance(under))
        if kind in ("Gather", "Index") and chances:
            return sign
        if kind in ("NllLoss", "BinaryCrossEntropyWithLogits"):
            return -sign
        if kind == "Pow":  # of a normal distribution: the further away, the less likely
            return -sign
        first = at.next_functions[0][0] is not None if at.next_functions else False
        if kind == "Neg" or (kind == "Rsub") or (kind == "Sub" and not first):
            sign = -sign
        elif kind in ("Mul", "Div"):
            factor = next(
                (one for name in ("_saved_other", "_saved_self") if (one := saved(at, name)) is not None), None
            )
            if factor is None or (bool((factor <= 0).any()) and bool((factor >= 0).any())):
                return 0
            sign = -sign if bool((factor < 0).all()) else sign
        elif kind not in _KEEPING:
            return 0
        at = under
    return 0


def _is_log_chance(node: Node) -> bool:
    """Whether it gives logarithms of chances: a log-softmax, or scores less the logarithm of their sum."""
    for _ in range(8):
        kind, under = operation(node), list(following(node))
        if kind in ("LogSoftmax", "Log"):
            return True
        if kind == "Sub" and any(operation(one) == "Logsumexp" for one in under):
            return True
        if kind not in ("View", "UnsafeView", "Clamp", "Expand", "Stack", "Squeeze", "Unsqueeze", "Index", "ToCopy"):
            return False
        if not under:
            return False
        node = under[0]
    return False


def entropies(root: Node) -> list[Node]:
    """The products of chances with their own logarithms, which an entropy is the sum of, with its sign turned."""
    found: list[Node] = []
    stack, seen = [root], {root}
    while stack and len(seen) < _MOST_NODES:
        node = stack.pop()
        under = list(following(node))
        if operation(node) == "Mul" and len(under) == 2:
            pairs = (under[0], under[1]), (under[1], under[0])
            if any(operation(one) in ("Softmax", "Exp") and _is_log_chance(other) for one, other in pairs):
                found.append(node)
                continue
        if operation(node) in _SUMMING:
            stack += [one for one in under if one not in seen]
            seen.update(under)
    return found


def alike(factor: torch.Tensor, followed: torch.Tensor) -> int:
    """1 where a factor goes with what followed, -1 where it goes against it, 0 where neither is so.

    >>> alike(torch.arange(8.0), 2 * torch.arange(8.0) - 3), alike(-torch.arange(8.0), torch.arange(8.0))
    (1, -1)
    """
    own = factor.detach().flatten().double()
    if own.numel() != followed.numel():
        return 0
    one, other = own - own.mean(), followed.double() - followed.double().mean()
    size = float(one.norm() * other.norm())
    same = float(one @ other) / size if size else 0.0
    return 1 if same >= _ALIKE else -1 if same <= -_ALIKE else 0
