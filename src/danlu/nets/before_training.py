"""What a net may be shown before it is trained."""

from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class SeesTrainingPart(Protocol):
    """A net that is laid out by the training part's inputs; what it takes from them belongs to its state."""

    def see_training_part(self, x: Tensor) -> None:
        """Take what it needs from all training samples [N, …], before the first step."""
        ...
