"""An overlap such as dice or IoU in the graph of a loss: a sum of products over a sum of both."""

from danlu.watch.probes.graph import LAYERS, Node, following, operation, saved

_SUMMING = ("Sum", "Mean", "MeanDim")
# What lies between the ratio and the sums of it, or hands on what the net gave.
_LIGHT = ("Add", "Sub", "Mul", "Div", "Neg", "View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Select",
          "Slice", "Index", "Clone", "ToCopy", "Transpose", "Permute", "Expand")  # fmt: skip
_MOST_NODES = 200


def overlaps_of_logits(root: Node) -> bool:
    """Whether a loss divides a sum of what a layer gave, times a mask, by a sum of the same and something: an overlap
    of numbers that are no shares of 0 to 1."""
    stack, seen = [root], {root}
    while stack and len(seen) < _MOST_NODES:
        node = stack.pop()
        if operation(node) in LAYERS or operation(node) == "AccumulateGrad":
            continue
        under = list(following(node))
        if operation(node) == "Div" and len(under) == 2:
            above, below = (_summed(one) for one in under)
            if {one for one, masked in above if masked} & {one for one, masked in below if not masked}:
                return True
        for other in under:
            if other not in seen:
                seen.add(other)
                stack.append(other)
    return False


def _summed(node: Node) -> set[tuple[Node, bool]]:
    """The layers whose numbers are summed up under a node as they are, and whether a mask was multiplied with them."""
    found: set[tuple[Node, bool]] = set()
    stack: list[tuple[Node, bool, bool]] = [(node, False, False)]  # whether a sum, and a mask, lies above
    seen: set[tuple[Node, bool, bool]] = set(stack)
    while stack and len(seen) < _MOST_NODES:
        one, summed, masked = stack.pop()
        kind = operation(one)
        if kind in LAYERS:
            if summed:
                found.add((one, masked))
            continue
        if kind in _SUMMING:
            summed = True
        elif kind not in _LIGHT:
            continue
        if kind == "Mul" and summed:
            kept = [each for each in (saved(one, "_saved_self"), saved(one, "_saved_other")) if each is not None]
            masked = masked or (len(kept) == 1 and kept[0].numel() > 1)
        for other in following(one):
            entry = other, summed, masked
            if entry not in seen:
                seen.add(entry)
                stack.append(entry)
    return found
