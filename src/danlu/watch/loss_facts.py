"""What is known of losses: how each hangs on the net, what the user declared, values that cannot be."""

from dataclasses import dataclass

from danlu.base.records import CodeLine


@dataclass(frozen=True)
class Head:
    """How one loss hangs on the net, read from the graph at one step."""

    step: int
    loss: str  # cross-entropy, nll, bce, bce-logits, mse, l1, huber, difference
    between: tuple[str, ...]  # operations from the loss to the last layer, the loss's side first
    summed: bool  # over the batch, and not divided again
    shape: tuple[int, ...]  # of the net's output as it meets the loss
    target_shape: tuple[int, ...]
    broadcast: tuple[tuple[int, ...], tuple[int, ...]] | None  # shapes of output and of the result where they differ
    low: float  # of the output
    high: float
    target_low: float
    target_high: float
    target_integer: bool
    value: float  # of this loss
    batch: int
    negated: bool  # it is made large, not small
    across_batch: bool  # a softmax on the way runs over the samples
    one_hot: bool  # each target is one 1 among zeros
    row_sum: float  # mean sum of exp(output) over the classes, nll only
    dropped: bool = False  # dropout is at work on the output itself
    labelled: bool = True  # `LabelFacts` are the targets of this loss
    bare: bool = False  # logarithms of probabilities themselves, with no minus on the way
    line: CodeLine | None = None  # where it is called


@dataclass(frozen=True)
class DeclaredLoss:
    """A loss object that the user named; it is known without being called."""

    kind: str  # its class
    weighted: bool = False  # it weighs the classes
    ignored: int | None = None  # the target that counts for nothing


@dataclass(frozen=True)
class LowLoss:
    """A value of a loss function that its formula does not allow."""

    step: int
    loss: str
    value: float
    low: float  # of the targets
    high: float
    weighted: bool
    line: CodeLine | None = None
