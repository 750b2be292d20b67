"""Shapes as people write them."""

from collections.abc import Iterable


def show_shape(shape: Iterable[int]) -> str:
    """The sizes of the axes; of a single number, 1.

    >>> show_shape((1, 28, 28))
    '1×28×28'
    """
    return "×".join(str(size) for size in shape) or "1"
