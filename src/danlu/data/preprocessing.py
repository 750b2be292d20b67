"""What stands between raw samples and a net, and between its outputs and an answer: fitted once, kept with the run."""

from dataclasses import dataclass
from typing import Any

import numpy
from torch import Tensor

from danlu.base.errors import Fault
from danlu.data.dataset import Dataset, Encoder
from danlu.data.label_sets import LabelSets
from danlu.data.series.encoder import WindowEncoder
from danlu.data.standard import Standard
from danlu.data.table.encoder import TableEncoder
from danlu.data.targets import CLASSED, Quantities, Target
from danlu.data.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True, eq=False)
class Preprocessing:
    """What of a data set is needed to answer: no samples, only what was fitted to the training part.

    >>> from danlu.data import load
    >>> fitted = Preprocessing.of(load("iris"))
    >>> fitted.classes, fitted.sample_shape
    (('setosa', 'versicolor', 'virginica'), (4,))
    """

    name: str
    sample_shape: tuple[int, ...]
    encoder: Encoder
    target: Target
    vocabulary: Vocabulary | None = None

    @classmethod
    def of(cls, data: Dataset) -> "Preprocessing":
        """That of a data set."""
        return cls(
            name=data.name,
            sample_shape=tuple(data.sample_shape),
            encoder=data.encoder,
            target=data.target,
            vocabulary=data.vocabulary,
        )

    @property
    def task(self) -> str:
        return self.target.task

    @property
    def outputs(self) -> int:
        return self.target.outputs

    @property
    def classes(self) -> tuple[str, ...]:
        return self.target.names if isinstance(self.target, CLASSED) else ()

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are predicted together, where the table had several; empty for any other data."""
        if isinstance(self.target, LabelSets):
            return self.target.names if self.target.in_columns else ()
        return self.target.names if isinstance(self.target, Quantities) else ()

    def encode(self, raw: Any) -> Tensor:
        """Raw samples as what the net takes: float32 [N, *sample_shape], or int64 tokens."""
        return self.encoder.encode(raw)

    def remarks(self, raw: Any) -> tuple[Fault, ...]:
        """What is to be told of raw samples that can be encoded but are unlike those of the training part."""
        encoder = self.encoder
        return encoder.remarks(raw) if isinstance(encoder, Standard | TableEncoder | WindowEncoder) else ()

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any] | str":
        """Predicted classes, numbers or tokens as the data spell them."""
        return self.target.decode(outputs)
