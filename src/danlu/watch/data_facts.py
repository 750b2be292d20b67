"""What is measured of the samples and targets that a training is given."""

from dataclasses import dataclass, field

from danlu.watch.series import Series


@dataclass
class Inputs:
    """The tensors that enter the net in training."""

    shape: tuple[int, ...] = ()
    floating: bool = True
    mean: Series = field(default_factory=Series)
    std: Series = field(default_factory=Series)
    low: Series = field(default_factory=Series)
    high: Series = field(default_factory=Series)  # of whole numbers too, of which this alone is measured
    widest: Series = field(default_factory=Series)  # largest standard deviation of a feature, [N, D] only
    unevenness: Series = field(default_factory=Series)  # that over the median one
    blank: Series = field(default_factory=Series)  # share of the samples whose numbers are all the same
    entering: float = float("nan")  # root mean square of what the first linear or convolutional layer is given
    distinct: Series = field(default_factory=Series)  # share of a batch's samples that differ from its first
    batch: Series = field(default_factory=Series)  # samples
    nonfinite_since: int | None = None
    nonfinite_share: float = 0.0


@dataclass
class LabelFacts:
    """The targets of training, as they came to the loss."""

    kind: str = ""  # classes, binary, numbers
    outputs: int = 0  # classes that the net can answer with
    counts: dict[int, int] = field(default_factory=dict[int, int])
    low: float = float("inf")
    high: float = float("-inf")
    mean: float = 0.0
    std: float = 0.0
    seen: int = 0  # labels
    batches: int = 0
    dense: bool = False  # one label for each of many places of a sample (segmentation, language)
    out_of_range: int | None = None  # step
    excess: float = 1.0  # variance between batches over what drawing at random would give
    drift: float = 0.0  # correlation of a batch's labels with those of the batch before
    moved: float = 0.0  # from the first third of the batches to the last, in standard errors; numbers only
    weighted: bool = False  # the loss weighs the classes
    weights: tuple[float, ...] = ()  # by class; of a binary loss with one output the weight of the positive class alone
    # By class the size of a sample's gradient beside that of the loss without weights, in the first steps.
    pulls: dict[int, float] = field(default_factory=dict[int, float])
    tags: tuple[float, ...] = ()  # of a binary loss with several outputs the share of the positive ones, by output
    predicted: dict[int, float] = field(default_factory=dict[int, float])  # answers of late; newer ones count more
    actual: dict[int, float] = field(default_factory=dict[int, float])  # the classes they should have been
    hits: dict[int, float] = field(default_factory=dict[int, float])  # of these, right ones by class
    ignored: int | None = None  # the class that the loss counts for nothing
    left_out: int = 0  # labels of it that `counts` leaves out, where the user declared it
    made: bool = False  # targets that are numbers come out of the net itself, as what a codebook is drawn to
    uncounted: int = 0  # labels of classes beyond those that `counts` has room for
