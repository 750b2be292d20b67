"""What a user may score a training by."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Metric(Protocol):
    """What counts batch by batch, such as a torchmetrics.Metric: outputs and targets in, a number out."""

    def update(self, outputs: Any, targets: Any, /) -> Any: ...

    def compute(self) -> Any: ...

    def reset(self) -> Any: ...


MetricLike = Metric | Callable[[Any, Any], Any]
"""A Metric, or a function of the outputs and targets of a whole part."""
