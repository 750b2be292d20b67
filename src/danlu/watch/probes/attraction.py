"""Losses that do nothing but draw two answers of one net together: equal answers for all samples are their minimum."""

from collections.abc import Sequence

import torch

from danlu.watch.probes.graph import Node, following, operation, saved, shape

_MOST_NODES, _MOST_BELOW = 400, 4_000
_FEWEST = 4, 8  # samples, and numbers of an answer
# What a loss goes through from single numbers to one: sums, and factors without a gradient.
_ADDING = {
    "Neg", "Sum", "Mean", "MeanDim", "Div", "Add", "Sub", "Rsub", "Mul", "Stack", "Cat", "View", "UnsafeView",
    "Squeeze", "Unsqueeze", "ToCopy", "Clone", "Diagonal", "Relu", "Clamp", "ClampMin",
}  # fmt: skip
_APART = {"Pow", "Abs", "LinalgVectorNorm", "Norm", "Sqrt"}  # of a difference
_LOSSES = ("MseLoss", "SmoothL1Loss", "HuberLoss")


def drawn_together(root: Node) -> list[Node]:
    """The nodes at which two answers that share parameters meet, where the loss under `root` is nothing but a sum of
    their products or distances, with a gradient to both; nothing where any part of it is something else.

    >>> net = torch.nn.Linear(8, 8)
    >>> one, other = net(torch.ones(4, 8)), net(torch.zeros(4, 8))
    >>> [len(drawn_together((one - wanted).square().mean().grad_fn)) for wanted in (other, other.detach())]
    [1, 0]
    """
    found: list[Node] = []
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        if len(seen) > _MOST_NODES:
            return []
        sides = _sides(node)
        if sides:
            if not _leaves(sides[0]) & _leaves(sides[1]):
                return []
            found.append(node)
            continue
        under = list(following(node))
        if operation(node) not in _ADDING or not under or (operation(node) == "Mul" and len(under) > 1):
            return []
        stack += [one for one in under if one not in seen]
        seen.update(under)
    return found


def compares_itself(node: Node) -> bool:
    """Whether a loss compares two numbers a sample, both of which follow from the same parameters, with a gradient.

    >>> net = torch.nn.Linear(8, 1)
    >>> one, other = net(torch.ones(4, 8))[:, 0], net(torch.zeros(4, 8))[:, 0]
    >>> [compares_itself(torch.nn.functional.mse_loss(one, wanted).grad_fn) for wanted in (other, other.detach())]
    [True, False]
    """
    sides = _sides(node)
    sizes = {len([size for size in shape(one) if size > 1]) for one in sides}
    return bool(sides) and max(sizes) <= 1 and bool(_leaves(sides[0]) & _leaves(sides[1]))


def spread_of(nodes: Sequence[Node], given: Sequence[torch.Tensor]) -> float | None:
    """How far the answers lie apart that meet there: their directions, from 0 (all the same) to 1, where products draw
    them together, and their numbers where distances do; by what the net has given where the graph has kept none. None
    where no answers of enough samples and numbers are known."""
    if not nodes:
        return None
    kept = [saved(node, name) for node in nodes for name in ("_saved_self", "_saved_other", "_saved_target")
            if _is_product(node) or operation(node) in _LOSSES]  # fmt: skip
    answers = [one.detach().float() for one in (kept or given) if one is not None and _is_batch(one)]
    if any(map(_is_product, nodes)):
        directions = [torch.nn.functional.normalize(one, dim=1) for one in answers]
        spreads = [1 - float(one.mean(0).square().sum()) for one in directions]
    else:
        spreads = [float(one.std(0).mean()) for one in answers]
    return min(spreads) if spreads else None


def _is_batch(one: torch.Tensor) -> bool:
    return one.dim() == 2 and len(one) >= _FEWEST[0] and one.shape[1] >= _FEWEST[1] and one.dtype.is_floating_point


def _sides(node: Node) -> list[Node]:
    """The two results that meet at a node, with a gradient to both; none where they do not."""
    under, kind = list(following(node)), operation(node)
    if kind in _LOSSES or _is_product(node):
        return under if len(under) == 2 else []
    if (kind in _APART or kind == "Mul") and under:
        inner = under[0]
        while operation(inner) in _APART and (below := list(following(inner))):
            inner = below[0]
        both = list(following(inner)) if operation(inner) == "Sub" else []
        return both if len(both) == 2 else []
    return []


def _is_product(node: Node) -> bool:
    """Whether it multiplies two results, not one with itself."""
    under = list(following(node))
    return operation(node) == "Mul" and len(under) == 2 and under[0] is not under[1]


def _leaves(node: Node) -> set[int]:
    """The ids of the parameters below a node."""
    found: set[int] = set()
    stack, seen = [node], {node}
    while stack and len(seen) < _MOST_BELOW:
        one = stack.pop()
        if operation(one) == "AccumulateGrad":
            found.add(id(one.variable))
        for other in following(one):
            if other not in seen:
                seen.add(other)
                stack.append(other)
    return found
