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
_MOVING = {"Unsqueeze", "Permute", "Transpose", "T", "Squeeze"}
_MOST_MOVES = 12
_Origin = list[frozenset[int]]  # of each dimension, the dimensions of the softmax that it is made of


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
            for place in (0, 1):
                found = _summed_over_another(node.next_functions[place][0], 2 - place)
                if found is not None:
                    return _axis(found), shape(found)
    return None


def _summed_over_another(operand: Node | None, summed: int) -> Node | None:
    """The softmax under an operand [N, R, C] of a product that sums over the dimension `summed`, where what sums to 1
    is the other one, which is kept: as einsum lays it out, with dimensions moved and joined on the way."""
    path: list[Node] = []
    while operand is not None and operation(operand) in _BETWEEN | _MOVING and len(path) < _MOST_MOVES:
        path.append(operand)
        operand = next(following(operand), None)
    if operand is None or operation(operand) not in _WEIGHTS or not any(operation(one) in _MOVING for one in path):
        return None
    size = shape(operand)
    origin: _Origin = [frozenset({place}) for place in range(len(size))]
    for node in reversed(path):
        moved = _moved(origin, size, node)
        size = shape(node)
        if moved is None or len(moved) != len(size):
            return None
        origin = moved
    if len(origin) != 3:
        return None
    axis, kept = _axis(operand), 3 - summed
    wide = any(shape(operand)[place] > 1 for place in origin[summed])
    return operand if origin[kept] == frozenset({axis}) and wide and axis not in origin[summed] else None


def _moved(origin: _Origin, size: tuple[int, ...], node: Node) -> _Origin | None:
    """Where the dimensions of what an operation gives come from; None where that is not seen."""
    kind = operation(node)
    if kind == "Unsqueeze":
        place = _whole(node._saved_dim, len(size) + 1)
        return [*origin[:place], frozenset[int](), *origin[place:]]
    if kind == "Permute":
        return [origin[_whole(place, len(size))] for place in node._saved_dims]
    if kind in ("Transpose", "T"):
        pair = (0, 1) if kind == "T" else (node._saved_dim0, node._saved_dim1)
        one, other = (_whole(place, len(size)) for place in pair)
        moved = list(origin)
        moved[one], moved[other] = moved[other], moved[one]
        return moved
    return origin if shape(node) == size else _regrouped(origin, size, shape(node))


def _regrouped(origin: _Origin, before: tuple[int, ...], after: tuple[int, ...]) -> _Origin | None:
    """The same numbers in another shape: runs of dimensions with as many numbers go into each other."""
    found: _Origin = []
    place = 0
    for size in after:
        if size == 1:
            found.append(frozenset())
            continue
        joined, count = frozenset[int](), 1
        while count < size and place < len(before):
            count *= before[place]
            joined |= origin[place] if before[place] > 1 else frozenset()
            place += 1
        if count != size:
            return None
        found.append(joined)
    return found


def _whole(place: int, dimensions: int) -> int:
    """A dimension, from 0; torch keeps -1 as an unsigned number."""
    place = int(place)
    return (place - 2**64 if place >= 2**63 else place) % max(1, dimensions)


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
        if operation(node) == "Bmm" and any(_is_square(_softmax_behind(one)) for one in following(node)):
            return True
    return False


def attends_to_itself(graph: Graph) -> bool:
    """Whether every place is weighed against every other: by torch's own attention, or weights that are square."""
    for node in graph.nodes:
        if operation(node).startswith("ScaledDotProduct"):
            return True
        if operation(node) == "Bmm" and any(_is_square(_softmax_behind(one)) for one in following(node)):
            return True
    return False


def _is_square(weights: Node | None) -> bool:
    """Whether the weights of a softmax are of as many places as they are for."""
    size = shape(weights) if weights is not None else ()
    return len(size) > 1 and size[-1] == size[-2] > 1


def _softmax_behind(node: Node | None) -> Node | None:
    """The softmax that an operand of a product comes from, with dimensions moved and joined on the way, as einsum does
    it."""
    for _ in range(_MOST_MOVES):
        if node is None or not (operation(node) in _BETWEEN | _MOVING or _is_dropout(node)):
            break
        node = next(following(node), None)
    return node if node is not None and operation(node) in _WEIGHTS else None


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
    """The dimension of a softmax, from 0."""
    return _whole(node._saved_dim, len(shape(node)))
