"""Reads from the graph how a loss hangs on the net: which loss, what lies between, how it is reduced, what it saw."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from danlu.watch.loss_facts import Head
from danlu.watch.probes.graph import ACTIVATIONS, LAYERS, Node, following, operation, saved, shape
from danlu.watch.reading import HANDS_ON

# Losses that are one operation of torch.
NAMED = {
    "NllLoss": "nll",
    "NllLoss2D": "nll",
    "MseLoss": "mse",
    "SmoothL1Loss": "huber",
    "HuberLoss": "huber",
    "BinaryCrossEntropy": "bce",
    "BinaryCrossEntropyWithLogits": "bce-logits",
}
_SYMMETRIC = ("MseLoss", "SmoothL1Loss", "HuberLoss")  # of output and target
_SUM, _MEAN, _NO_REDUCTION = 2, 1, 0
_LEAST_WEIGHT = 0.1  # of a term of a loss that is added as it is
_MOST_NODES = 400
_MOST_VALUES = 65_536
_MOST_WEIGHTS = 8  # different weights of classes
# What a loss goes through on its way from the single samples to one number.
_SUMMING = {
    "Neg", "Sum", "Mean", "MeanDim", "Div", "Mul", "Add", "Sub", "Stack", "Cat", "View", "UnsafeView", "Squeeze",
    "Unsqueeze", "ToCopy", "Clone", "Minimum", "Maximum", "Clamp",
}  # fmt: skip

# What leaves the sign of a number as it is.
_AS_IT_IS = {"Sum", "Mean", "MeanDim", "View", "UnsafeView", "Squeeze", "Unsqueeze", "ToCopy", "Clone"}


@dataclass
class Criterion:
    """A place in the graph where a net's output meets a target; `path` leads there from the root."""

    name: str
    node: Node
    path: tuple[Node, ...]
    start: Node  # from here on down it is the net
    log_softmax: bool = False  # lies between and belongs to the loss


def criteria(root: Node) -> list[Criterion]:
    """All losses under `root`, above the first layers; at most one per node."""
    found: list[Criterion] = []
    stack: list[tuple[Node, tuple[Node, ...]]] = [(root, ())]
    seen = {root}
    while stack and len(seen) < _MOST_NODES:
        node, path = stack.pop()
        criterion = _criterion(node, path)
        if criterion:
            found.append(criterion)
            continue
        if operation(node) in LAYERS or operation(node) == "AccumulateGrad":
            continue
        for other in following(node):
            if other not in seen:
                seen.add(other)
                stack.append((other, (*path, node)))
    # Smoothed labels take the logarithms twice: for the class, and for all classes alike.
    whole = {one.start for one in found if operation(one.node) != "LogSoftmax"}
    return [one for one in found if operation(one.node) != "LogSoftmax" or one.start not in whole]


def _criterion(node: Node, path: tuple[Node, ...]) -> Criterion | None:
    kind = operation(node)
    below = list(following(node))
    if kind in NAMED:
        if not below:
            return None
        if NAMED[kind] != "nll":
            return Criterion(NAMED[kind], node, path, below[0])
        inner = _skip_views(below[0])
        if operation(inner) == "LogSoftmax":
            under = next(following(inner), inner)
            return Criterion("cross-entropy", node, path, under, log_softmax=True)
        return Criterion("nll", node, path, below[0])
    squares = kind == "Pow" and float(getattr(node, "_saved_exponent", 0)) == 2
    squares = squares or (kind == "Mul" and len(node.next_functions) == 2 and len(below) == 2 and below[0] is below[1])
    if (squares or kind == "Abs") and below:
        difference = _skip_views(below[0])
        if operation(difference) == "Sub":
            output = next((n for n in following(difference) if operation(n) != "AccumulateGrad"), None)
            if output is not None:
                return Criterion("difference" if squares else "l1", node, path, output)
    if kind in ("Index", "Gather") and below and operation(_skip_views(below[0])) == "LogSoftmax":
        inner = _skip_views(below[0])
        return Criterion("cross-entropy", node, path, next(following(inner), inner), log_softmax=True)
    if kind == "LogSoftmax" and below:
        return Criterion("cross-entropy", node, path, below[0], log_softmax=True)
    return None


def _skip_views(node: Node) -> Node:
    while operation(node) in ("View", "UnsafeView", "Clone", "Squeeze", "Unsqueeze", "Permute", "Transpose", "ToCopy"):
        under = next(following(node), None)
        if under is None:
            return node
        node = under
    return node


def chain(node: Node) -> list[Node]:
    """The nodes from `node` down to the first layer, along first inputs."""
    nodes: list[Node] = []
    while operation(node) not in LAYERS and operation(node) != "AccumulateGrad" and len(nodes) < 64:
        nodes.append(node)
        under = next(following(node), None)
        if under is None:
            break
        node = under
    return nodes


def read_head(
    criterion: Criterion, step: int, given: Sequence[torch.Tensor], value: float, *, scaled: bool
) -> tuple[Head, torch.Tensor | None, torch.Tensor | None]:
    """The head at a criterion; with it the outputs and targets that met there, where the graph kept them.

    `given` is what the net gave in this step, for losses written by hand, which keep nothing. `value` is the loss,
    where it is this criterion's alone.
    """
    node = criterion.node
    between = chain(criterion.start)
    size = shape(criterion.start)
    outputs, targets = _met(criterion, given)
    kind_of_torch = operation(node) in NAMED
    low, high = _bounds(outputs)
    target_low, target_high = _bounds(targets)
    head = Head(
        step=step,
        loss=criterion.name,
        between=tuple(operation(one) for one in between),
        summed=_is_summed(criterion, scaled=scaled),
        shape=_by_class(criterion, size),
        target_shape=tuple(targets.shape) if targets is not None else (),
        broadcast=_broadcast(criterion, size),
        low=low,
        high=high,
        target_low=target_low,
        target_high=target_high,
        target_integer=targets is not None and _is_integer(targets),
        value=_value(node, outputs, targets, criterion, value) if step == 1 else value,
        batch=size[0] if size else 1,
        negated=sum(operation(one) == "Neg" for one in criterion.path) % 2 == 1 and kind_of_torch,
        across_batch=_runs_over_batch(criterion, between),
        one_hot=criterion.name != "cross-entropy" and _is_one_hot(targets),
        row_sum=_row_sum(outputs) if criterion.name == "nll" else float("nan"),
        bare=_is_bare(criterion),
        dropped=bool(between) and _drops(next((one for one in between if operation(one) not in HANDS_ON), between[0])),
    )
    return head, outputs, targets


def _is_bare(criterion: Criterion) -> bool:
    """Whether logarithms of probabilities, picked by class, come to the root as they are: averaged or summed alone."""
    picked = operation(criterion.node) in ("Index", "Gather") and criterion.log_softmax
    return picked and all(operation(one) in _AS_IT_IS for one in criterion.path)


def _drops(node: Node) -> bool:
    """Whether it is dropout: of its own kind, or a product with a mask of 0 and one number above 1."""
    if operation(node) in ("NativeDropout", "FusedDropout"):
        return True
    mask = saved(node, "_saved_other") if operation(node) == "Mul" else None
    if mask is None or mask.numel() < 2 or not mask.dtype.is_floating_point:
        return False
    kept = mask[mask != 0]
    return 0 < kept.numel() < mask.numel() and float(kept.min()) > 1 and bool((kept == kept[0]).all())


def loss_value(criterion: Criterion, given: Sequence[torch.Tensor]) -> float:
    """The mean loss a sample at a criterion; NaN where the graph kept too little."""
    outputs, targets = _met(criterion, given)
    return _value(criterion.node, outputs, targets, criterion, float("nan"))


def _met(criterion: Criterion, given: Sequence[torch.Tensor]) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    node, kind = criterion.node, operation(criterion.node)
    if kind in NAMED:
        first, second = saved(node, "_saved_self"), saved(node, "_saved_target")
        flipped = kind in _SYMMETRIC and node.next_functions[0][0] is None
        return (second, first) if flipped else (first, second)
    if criterion.name in ("difference", "l1"):
        difference = saved(node, "_saved_self")
        outputs = _result(criterion.start)
        if outputs is None:
            start = {criterion.start, _skip_views(criterion.start)}
            outputs = next((one.detach() for one in given if one.grad_fn in start), None)
        if difference is None or outputs is None or difference.numel() != outputs.numel():
            return outputs, None
        outputs = outputs.reshape(difference.shape)
        below = _skip_views(next(following(node)))
        if operation(below) == "Sub" and len(list(following(below))) == 2:  # two answers, and no target
            return outputs, None
        flipped = operation(below) == "Sub" and below.next_functions[0][0] is None
        return outputs, outputs + difference if flipped else outputs - difference
    if kind == "Index":
        indices = getattr(node, "_saved_indices", ())
        return None, next((one for one in reversed(indices) if one is not None), None)
    return (None, saved(node, "_saved_index")) if kind == "Gather" else (None, None)


def _by_class(criterion: Criterion, size: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an output whose classes lie along another dimension than the second one, as [places, classes]."""
    if not criterion.log_softmax or len(size) < 3:
        return size
    node = criterion.node if operation(criterion.node) == "LogSoftmax" else _skip_views(next(following(criterion.node)))
    dimension = int(getattr(node, "_saved_dim", 1))
    dimension = (dimension - 2**64 if dimension >= 2**63 else dimension) % len(size)
    return size if dimension == 1 else (_product(size) // max(1, size[dimension]), size[dimension])


def _result(node: Node) -> torch.Tensor | None:
    """What the operation gave, where it kept that."""
    attribute = ACTIVATIONS.get(operation(node), ("", None, None))[0]
    return saved(node, attribute) if attribute == "_saved_result" else None


def _is_summed(criterion: Criterion, *, scaled: bool) -> bool:
    """Whether the batch is summed up, and nothing divides on the way to the root."""
    reduction = getattr(criterion.node, "_saved_reduction", _NO_REDUCTION)
    path = [operation(node) for node in criterion.path]
    if scaled and path and path[0] == "Mul":
        path = path[1:]
    if any(kind in ("Mean", "Div", "MeanDim", "Mul") for kind in path):
        return False
    return reduction == _SUM or (reduction == _NO_REDUCTION and "Sum" in path)


def _broadcast(criterion: Criterion, size: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The shapes of output and of their difference, where the one grew to the other by the number of samples."""
    result = size
    if operation(criterion.start) == "Expand":
        size = shape(next(following(criterion.start)))
    elif criterion.name in ("difference", "l1"):
        result = shape(_skip_views(next(following(criterion.node))))
    else:
        return None
    samples = size[0] if size else 0
    numbers, grown = _product(size), _product(result)
    if samples > 1 and grown == numbers * samples and result[:1] == (samples,):
        return size, result
    return None


def _product(size: tuple[int, ...]) -> int:
    product = 1
    for one in size:
        product *= one
    return product


def _sample(tensor: torch.Tensor) -> torch.Tensor:
    rows = max(1, _MOST_VALUES * len(tensor) // max(1, tensor.numel())) if tensor.dim() else 1
    return tensor[:rows] if tensor.dim() and tensor.numel() > _MOST_VALUES else tensor


def _bounds(tensor: torch.Tensor | None) -> tuple[float, float]:
    if tensor is None or tensor.numel() == 0 or tensor.is_complex():
        return float("nan"), float("nan")
    low, high = torch.aminmax(_sample(tensor))
    return float(low), float(high)


def _is_integer(tensor: torch.Tensor) -> bool:
    if not tensor.dtype.is_floating_point:
        return True
    part = _sample(tensor)
    return bool((part == part.round()).all())


def _is_one_hot(targets: torch.Tensor | None) -> bool:
    if targets is None or targets.dim() != 2 or targets.shape[1] < 2:
        return False
    part = _sample(targets)
    return bool(((part == 0) | (part == 1)).all()) and bool((part.sum(1) == 1).all())


def weighs_samples(root: Node) -> bool:
    """Whether each sample's part of the loss is multiplied by a number of its own, as by a return (REINFORCE) or an
    advantage: such a loss is a means to a gradient, and its value says nothing.

    A mask has two values, and weights of classes are few and positive.
    """
    single: set[float] = set()
    stack, seen = [root], {root}
    while stack and len(seen) < _MOST_NODES:
        node = stack.pop()
        if operation(node) == "Mul":
            kept = [one for one in (saved(node, "_saved_self"), saved(node, "_saved_other")) if one is not None]
            if len(kept) == 1 and not kept[0].is_complex():  # a product of two results keeps both
                numbers = _sample(kept[0]).unique()
                if kept[0].numel() == 1:
                    single.add(float(numbers))
                elif len(numbers) > _MOST_WEIGHTS or bool((numbers < 0).any()):
                    return True
        if operation(node) in _SUMMING:
            for other in following(node):
                if other not in seen:
                    seen.add(other)
                    stack.append(other)
    return len(single) > _MOST_WEIGHTS


def reductions(root: Node, samples: int) -> set[str]:
    """How the terms that a loss adds up as they are go over a batch of `samples`: "mean", "sum"."""
    found: set[str] = set()
    stack, seen = [root], {root}
    while stack and len(seen) < _MOST_NODES:
        node = stack.pop()
        kind, reduction = operation(node), getattr(node, "_saved_reduction", _NO_REDUCTION)
        if kind == "Mean" or (kind in NAMED and reduction == _MEAN):
            found.add("mean")
        elif (kind in NAMED and reduction == _SUM) or (kind == "Sum" and _summed_samples(node) == samples):
            found.add("sum")
        elif kind in ("Add", "Sub", "Neg", "ToCopy") or (kind == "Mul" and _is_of_order_one(node)):
            under = [one for one in following(node) if not shape(one) and one not in seen]
            seen.update(under)
            stack.extend(under)
    return found


def _summed_samples(node: Node) -> int:
    """The first dimension of what a Sum adds up."""
    size = getattr(node, "_saved_self_sym_sizes", ())
    return int(size[0]) if size else 0


def _is_of_order_one(node: Node) -> bool:
    """Whether a product is one with a plain number that makes it hardly smaller."""
    kept = [one for one in (saved(node, "_saved_self"), saved(node, "_saved_other")) if one is not None]
    return len(kept) == 1 and kept[0].numel() == 1 and _LEAST_WEIGHT <= abs(float(kept[0])) <= 1 / _LEAST_WEIGHT


def _runs_over_batch(criterion: Criterion, between: list[Node]) -> bool:
    """Whether a softmax on the way from loss to net normalises over the samples instead of the classes."""
    nodes = list(between)
    if criterion.log_softmax:
        nodes.append(_skip_views(next(following(criterion.node), criterion.node)))
    for node in nodes:
        size = shape(node)
        softmax = operation(node) in ("Softmax", "LogSoftmax") and len(size) == 2 and size[0] > 1
        if softmax and getattr(node, "_saved_dim", 1) == 0:
            return True
    return False


def _row_sum(outputs: torch.Tensor | None) -> float:
    """1 for log-probabilities: the mean over samples of the sum of exp(output)."""
    if outputs is None or outputs.dim() < 2:
        return float("nan")
    return float(_sample(outputs).float().exp().sum(dim=1).mean())


def _value(
    node: Node, outputs: torch.Tensor | None, targets: torch.Tensor | None, criterion: Criterion, value: float
) -> float:
    """The mean loss a sample at this criterion, from what the graph kept; `value` where it kept too little."""
    if outputs is None or targets is None or outputs.shape[:1] != targets.shape[:1]:
        return value
    with torch.no_grad():
        if criterion.name in ("cross-entropy", "nll") and not targets.dtype.is_floating_point:
            return _mean_negative(outputs, targets, getattr(node, "_saved_ignore_index", -100))
        if criterion.name == "bce-logits" and outputs.shape == targets.shape:
            return float(torch.nn.functional.binary_cross_entropy_with_logits(outputs, targets.to(outputs.dtype)))
        if criterion.name == "bce" and outputs.shape == targets.shape:
            safe = outputs.clamp(1e-12, 1 - 1e-7)
            return float(-(targets * safe.log() + (1 - targets) * (1 - safe).log()).mean())
        if criterion.name in ("mse", "difference") and outputs.shape == targets.shape:
            return float((outputs - targets).square().mean())
    return value


def _mean_negative(outputs: torch.Tensor, targets: torch.Tensor, ignored: Any) -> float:
    if outputs.dim() < 2 or outputs.dim() != targets.dim() + 1:
        return float("nan")
    outputs, targets = _sample(outputs), targets[: len(_sample(outputs))]
    valid = (targets != ignored) & (targets >= 0) & (targets < outputs.shape[1])
    chosen = outputs.gather(1, targets.long().clamp(0, outputs.shape[1] - 1).unsqueeze(1)).squeeze(1)
    return float(-(chosen * valid).sum() / valid.sum().clamp(min=1))
