"""How densely a training can be measured: computed from the size of the net and of a batch, never from a clock.

Two runs of one training measure and judge the same steps, however busy the machine is, and so find the same.
"""

_SHARE = 0.005  # of the training's time for measuring
_BRIEF = 0.0002  # seconds of a step below which judging, too, is thinned out
# Seconds on one fast core: of a step without any operation, of an operation (forward and backward), of a multiplication
# with an addition in a matrix product; and of measuring a step, an operation of it, a parameter tensor of it.
_STEP, _OPERATION, _PRODUCT = 40e-6, 5e-6, 5e-12
_MEASURED, _MEASURED_OPERATION, _MEASURED_TENSOR = 100e-6, 12e-6, 8e-6
_PASSES = 3  # the products of a forward pass come again twice in the backward pass


class Pace:
    """Says which of the steps that are due are measured.

    >>> pace = Pace()
    >>> pace.allows(2)
    True
    >>> pace.size(operations=7, tensors=4, products=22_528)
    >>> pace.measured(100), pace.allows(600), pace.allows(700), pace.is_brief
    (None, False, True, True)
    """

    def __init__(self) -> None:
        self._interval = 1
        self._last = 0
        self.is_brief = False
        """Whether a step is so short that judging often would be dear."""

    def size(self, operations: int, tensors: int, products: float) -> None:
        """What a step is made of: operations of its graph, parameter tensors, products of its forward pass."""
        step = _STEP + _OPERATION * operations + _PASSES * _PRODUCT * products
        cost = _MEASURED + _MEASURED_OPERATION * operations + _MEASURED_TENSOR * tensors
        self._interval = max(1, round(cost / (_SHARE * step)))
        self.is_brief = step < _BRIEF

    def measured(self, step: int) -> None:
        """A step was measured."""
        self._last = step

    def allows(self, step: int) -> bool:
        """Whether measuring is affordable at `step`."""
        return step - self._last >= self._interval
