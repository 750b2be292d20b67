"""Arithmetic that grows samples to samples × samples on the way from the net to the loss: a column beside a row."""

from danlu.watch.probes.graph import LAYERS, Node, following, operation, saved, shape

_ARITHMETIC = ("Mul", "Div", "Add", "Sub", "Maximum", "Minimum")
_RESHAPING = (
    "View",
    "UnsafeView",
    "ReshapeAlias",
    "Unsqueeze",
    "Index",
    "Select",
    "Slice",
    "Permute",
    "Transpose",
    "T",
)
_MOST_NODES = 400

Sizes = tuple[tuple[int, ...], tuple[int, ...]]


def grown(root: Node, samples: int) -> Sizes | None:
    """The shape of a column [N, 1] that came so out of a layer, and of what became of it beside a row [N]; None where
    there is none. Who wants all pairs makes the column on purpose, by unsqueeze() or an index."""
    stack, seen = [root], {root}
    while stack and len(seen) < _MOST_NODES:
        node = stack.pop()
        kind = operation(node)
        if kind in LAYERS or kind == "AccumulateGrad":
            continue
        if kind in _ARITHMETIC and shape(node) == (samples, samples) and samples > 1:
            column = _column(node, samples)
            if column is not None and _comes_from_layer(column, samples):
                return (samples, 1), (samples, samples)
        for other in following(node):
            if other not in seen:
                seen.add(other)
                stack.append(other)
    return None


def _column(node: Node, samples: int) -> Node | None:
    """The operand [N, 1] of an operation whose other one is [N]."""
    under = list(following(node))
    sizes = [shape(one) for one in under]
    kept = [one for one in (saved(node, "_saved_self"), saved(node, "_saved_other")) if one is not None]
    sizes += [tuple(one.shape) for one in kept]
    if (samples,) not in sizes:
        return None
    return next((one for one in under if shape(one) == (samples, 1)), None)


def _comes_from_layer(node: Node, samples: int) -> bool:
    """Whether a column was given as one by a layer, and by nothing that changes shapes."""
    stack, seen = [node], {node}
    found = False
    while stack and len(seen) < _MOST_NODES:
        one = stack.pop()
        if operation(one) in _RESHAPING:
            return False
        if operation(one) in LAYERS:
            found = True
            continue
        for other in following(one):
            if other not in seen and shape(other) == (samples, 1):
                seen.add(other)
                stack.append(other)
    return found
