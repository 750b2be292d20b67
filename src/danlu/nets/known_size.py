"""How large a net is, told without building it where that is written down."""

from danlu import nets
from danlu.nets.registry import NETS, registered


def size(name: str) -> tuple[int, int]:
    """Parameters, and multiply-adds for one sample, of the net that `example` gives.

    >>> size("lenet5")
    (61706, 416520)
    """
    known = NETS[registered(name)].size
    if known is not None:
        return known
    described = nets.describe(*nets.example(name))
    return described.parameters, described.multiply_adds
