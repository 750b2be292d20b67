"""Reads from the graph over which dimension the weights of an attention are normalised."""

from danlu.watch.probes.graph import Graph, Node, following, operation, shape

# What may lie between the softmax and the product with the values without moving a dimension.
_BETWEEN = {
    "View",
    "UnsafeView",
    "ReshapeAlias",
    "Expand",
    "NativeDropout",
    "Clone",
    "ToCopy",
    "NanToNum",
    "MaskedFill",
}
_WEIGHTS = ("Softmax", "SafeSoftmax")


def wrong_axis(graph: Graph) -> tuple[int, tuple[int, ...]] | None:
    """The dimension of a softmax, and the shape of what it gave, where a matrix product then sums over another one;
    None where every product sums over what sums to 1."""
    for node in graph.nodes:
        if operation(node) == "Bmm" and node.next_functions[0][0] is not None:
            found = _softmax_under(node.next_functions[0][0])
            if found is not None:
                dimension, size = _axis(found), shape(found)
                if len(size) > 1 and dimension != len(size) - 1 and size[-1] > 1:
                    return dimension, size
    return None


def weighs_samples_against_each_other(graph: Graph, samples: int) -> bool:
    """Whether weights [samples, K], or [samples × places, K], of a softmax sum to 1 over the samples, of which there
    are so many."""
    weights = (node for node in graph.nodes if operation(node) in _WEIGHTS and len(shape(node)) == 2)
    return samples > 1 and any(
        shape(node)[0] and shape(node)[0] % samples == 0 and _axis(node) == 0 for node in weights
    )


def has_attention(graph: Graph) -> bool:
    """Whether weights of a softmax are summed up with a matrix product, or torch's own attention is called."""
    for node in graph.nodes:
        if operation(node).startswith("ScaledDotProduct"):
            return True
        if operation(node) == "Bmm" and any(_softmax_under(one) is not None for one in following(node)):
            return True
    return False


def attends_to_itself(graph: Graph) -> bool:
    """Whether every place is weighed against every other: by torch's own attention, or weights that are square."""
    for node in graph.nodes:
        if operation(node).startswith("ScaledDotProduct"):
            return True
        if operation(node) == "Bmm":
            sizes = [shape(one) for one in map(_softmax_under, following(node)) if one is not None]
            if any(len(size) > 1 and size[-1] == size[-2] > 1 for size in sizes):
                return True
    return False


def _softmax_under(node: Node) -> Node | None:
    last = shape(node)[-1:]
    while operation(node) in _BETWEEN or _is_dropout(node):
        under = next(following(node), None)
        if under is None or shape(under)[-1:] != last:
            return None
        node = under
    return node if operation(node) in _WEIGHTS else None


def _is_dropout(node: Node) -> bool:
    """Whether it multiplies with something that no gradient goes to, as dropout does on a CPU."""
    return operation(node) == "Mul" and len(list(following(node))) == 1


def _axis(node: Node) -> int:
    """The dimension of a softmax, from 0; torch keeps -1 as an unsigned number."""
    dimension = int(node._saved_dim)
    dimension = dimension - 2**64 if dimension >= 2**63 else dimension
    return dimension % max(1, len(shape(node)))
