"""What the probes have measured so far: series and plain facts, without a tensor, for the rules to read."""

from dataclasses import dataclass, field

from danlu.base.records import CodeLine
from danlu.watch.conduct import Averaged, Copied, Draws, Handed, Scaling, Unfair, Unrelated
from danlu.watch.series import Curve, Series

NO_TENSOR = "-"
"""Why there was nothing to read, in Measured.unread: no tensor was found at all."""


@dataclass
class Layer:
    """A module with parameters of its own. Layers stand in the order in which the first step called them."""

    name: str
    kind: str
    inputs: int = 0  # fan-in of its weight; 0 where it has no matrix
    width: int = 0  # numbers that it gives for each sample or place
    channels: int = 0  # that without the size of a convolution's kernel
    grouped: bool = False  # a convolution in groups
    outputs: int = 0  # rows of its weight
    bare: bool = False  # parameters of a module written by hand: no call of its own
    by_hand: bool = False  # its class is none of torch's
    parameters: int = 0
    trainable: bool = True
    fresh: bool = False  # its weight looks as torch's default initialisation draws it
    mean: Series = field(default_factory=Series)  # of its output
    std: Series = field(default_factory=Series)
    gradient: Series = field(default_factory=Series)  # L2 norm over its parameters
    gradient_zero: Series = field(default_factory=Series)  # share of its gradient's entries that are exactly 0
    weight: Series = field(default_factory=Series)  # L2 norm
    inward: Series = field(default_factory=Series)  # cosine of gradient and weight: of a pull towards 0 it is 1
    update: Series = field(default_factory=Series)  # norm of one step's change over the norm of the weight
    apart: Series = field(default_factory=Series)  # spread of the weight's rows about their mean, as a share of them
    nonfinite_since: int | None = None  # its output
    reached: bool = False  # a gradient has come to it
    called: bool = False


@dataclass
class Activation:
    """The results of one activation function, read from the autograd graph: a module or a plain call alike."""

    name: str  # of the layer before it
    kind: str  # relu, sigmoid, tanh …
    last: bool  # nothing but the loss comes after it
    saturated: Series = field(default_factory=Series)  # share within 3 % of a bound
    zero: Series = field(default_factory=Series)  # share exactly 0
    dead: Series = field(default_factory=Series)  # share of units that were 0 for all samples of the last batches
    units: int = 0


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
    line: CodeLine | None = None  # where it is called


@dataclass
class Optimiser:
    """One optimiser object that moves parameters of the net."""

    kind: str
    steps: int = 0
    given: bool = False  # the user named it
    scheduled: bool = False  # a scheduler of it was called
    rate: Series = field(default_factory=Series)
    highest_rate: float = 0.0
    momentum: float = 0.0
    weight_decay: float = 0.0
    decoupled: bool = False
    decay_share: Series = field(default_factory=Series)  # norm of the decay over that of the loss's gradient
    foreign: int = 0  # tensors that are no parameters of the net
    owned: int = 0  # tensors that are
    stale: int = 0  # steps in a row whose gradients were not cleared beforehand
    stale_since: int = 0
    repeated: int = 0  # measured steps that followed the gradient of the step before, with no backward pass between
    repeated_since: int = 0
    unmoved: Series = field(default_factory=Series)  # 1 where a step changed nothing
    rounded: Series = field(default_factory=Series)  # share of weights of 16 bits that a step left, gradient or not
    low_precision: str = ""  # their type
    without_gradient: Series = field(default_factory=Series)  # share of its parameters that had none
    gradient: Series = field(default_factory=Series)  # norm of the whole gradient as the step saw it
    clipped_to: float | None = None
    clip: Series = field(default_factory=Series)  # that over the norm before clipping
    capped: Series = field(default_factory=Series)  # share of the gradient's entries that stand at the clipping value
    recreated: int = 0  # earlier optimisers that moved the same parameters
    emptied: int = 0  # steps in a row of whose backward passes all but the last were cleared away
    emptied_since: int = 0
    passes: int = 0  # backward passes of such a step
    mixed: int = 0  # steps in a row with gradients of a loss that another optimiser has stepped for
    mixed_since: int = 0
    stepped_at: CodeLine | None = None  # in the user's code
    made_at: CodeLine | None = None  # the same, where it was made inside the block
    backward_at: CodeLine | None = None  # the same, the newest backward pass before its step


@dataclass
class Scheduler:
    """One learning-rate scheduler."""

    kind: str
    calls: int = 0
    before_first_step: int = 0  # calls made before the optimiser's first step
    total: int | None = None  # steps it was told of (OneCycleLR, CosineAnnealingLR)
    metric: Series = field(default_factory=Series)  # what ReduceLROnPlateau was given
    mode: str = ""
    base: float = 0.0  # the rate that it starts from


@dataclass(frozen=True)
class Evaluation:
    """One pass over data without gradients, between two steps."""

    step: int
    batches: int
    samples: int
    loss: float  # NaN where no loss was computed
    accuracy: float
    training: bool  # the net stood in training mode
    overlap: float  # share of its samples that the training has seen; NaN where unknown
    error: float = float("nan")  # standard error of the loss, from its spread over the samples; NaN where unknown
    smallest: int = 0  # samples of a batch
    largest: int = 0
    plain: float = float("nan")  # the loss as a mean of the batches' own
    neighbours: float = float("nan")  # share of its windows beside which a training window lies
    elsewhere: bool = False  # its samples come from another data set object than those of the training


@dataclass
class Net:
    """What does not change: the net as it was when the block was entered."""

    layers: int = 0
    trainable: int = 0  # tensors
    unoptimised: tuple[str, ...] = ()  # trainable parameters in no optimiser
    unoptimised_first: bool = False  # they all come before the first optimised one
    unreached: tuple[str, ...] = ()  # optimised parameters that no gradient has ever reached
    unregistered: int = 0  # parameters that a gradient reaches and that neither net nor any optimiser knows
    made_anew: bool = False  # these are others in each step
    unlisted: int = 0  # parameters that a gradient reaches and that lie in a plain list or dict of a module
    dropout: dict[str, float] = field(default_factory=dict[str, float])
    plain_dropout: float = 0.0  # highest rate of a call of torch.nn.functional.dropout
    norms: tuple[str, ...] = ()  # batch normalisations
    frozen_norms: bool = False
    compiled: bool = False
    linear_pairs: tuple[tuple[str, str], ...] = ()  # layers with nothing non-linear between them
    bottlenecks: tuple[str, ...] = ()  # narrow layers through which everything goes
    nonlinear: bool | None = None  # any non-linearity at all; None before the graph was read
    wrong_softmax: tuple[int, tuple[int, ...]] | None = None  # its dimension and shape, of weights summed over another
    over_samples: bool = False  # the weights of a softmax within it sum to 1 over the samples
    attends: bool = False  # it has attention
    stuck: tuple[str, ...] = ()  # embeddings of which all samples of the first batch ask for the same row
    self_attends: bool = False  # of the places of a sequence to each other
    depth: int = 0  # linear and convolutional layers on the graph
    recurrent: bool = False
    silent_scheduler: bool = False  # one was made for an optimiser and never called


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


@dataclass
class Intervention:
    """What a copy of a net answered, in evaluation mode, to inputs that were changed.

    Where nothing else is said a number tells how far answers moved, over how far those moved that were changed
    themselves; NaN where that was not tried. Places are those of a sequence.
    """

    name: str  # of the module that was called; empty where there is one net alone
    step: int
    refused: str = ""  # why nothing could be tried
    aside: bool = False  # of tokens that go in beside those that the answers are for: their padding alone was tried
    tokens: bool = False  # the inputs are whole numbers, or one 1 among zeros
    lag: int | None = None  # the targets are the inputs, so many places on: 0, 1 or 2
    places: int = 0
    few: bool = False  # only a few of these are asked for
    later: float = float("nan")  # of earlier places, where later ones were changed
    earlier: float = float("nan")  # of later places, where earlier ones were changed
    own: float = float("nan")  # of the only place that was changed, over the most that the answer to any moved
    others: float = float("nan")  # of other samples, where one was changed
    sequential: bool = False  # samples are sequences
    batch_second: bool = False  # the batch comes first, and it has layers that want it second
    averages: tuple[tuple[str, str], ...] = ()  # statistics, by module and name, that it updates in evaluation mode
    masks: bool = False  # some of its numbers are left out at random, in evaluation mode
    embeds: str = ""  # the module that is given the inputs first
    lets_in: str = ""  # the module in which padding first reaches what is none
    leaks: str = ""  # the module in which later places first reach earlier ones
    laid: str = ""  # a layer that takes the samples for places, where nothing that is changed in them shows
    mixes: str = ""  # the module in which samples first reach each other
    response: Series = field(default_factory=Series)  # of all, where samples were exchanged, over their size
    turn: Series = field(default_factory=Series)  # the same of their directions, for answers of several numbers
    outputs: int = 0  # numbers of an answer, of one sample
    ignores: set[str] = field(default_factory=set[str])  # arguments that differ by sample, and change no answer
    reconstructs: bool = False  # an answer is as large as its sample
    padded: float = 0.0  # share of the places that are padding
    declares_padding: bool = False  # the net is told so, by its embedding, a mask or the lengths
    pads: float = float("nan")  # of places that are none, where padding was cut off, over what exchanging samples does
    context: float = float("nan")  # of the last place, where the places before it were changed, over the same
    order: float = float("nan")  # where places change places, beside what exchanging samples does; 0 where none matters
    pads_counted: float = float("nan")  # share of padded places among the targets that the loss counts
    # Of the targets between the first and the last that count, the share left out though they are inputs that follow.
    gaps: float = float("nan")
    left_out: float = float("nan")  # of the places that are no padding, the share whose class the loss leaves out


@dataclass
class Timing:
    """Seconds of the newest measured steps."""

    wait: Series = field(default_factory=Series)  # from the end of a step to the next forward pass
    work: Series = field(default_factory=Series)  # from there to the end of the step
    memory: Series = field(default_factory=Series)  # resident bytes


@dataclass
class Measured:
    """All of it. `step` counts the optimiser's steps; where there are several, those of the one that made most."""

    step: int = 0
    before: int = 0  # steps made before the block, which goes on with a training; `loss` holds theirs too
    forwards: int = 0  # calls of the net from outside that were heard; ordinary steps are not listened to
    backwards: int = 0
    functional: int = 0  # gradients of a loss of the net that torch.func computed
    foreign_steps: int = 0  # of optimisers that hold nothing of the net
    stale_by_hand: int = 0  # updates in a row that no optimiser made, whose gradients were not cleared afterwards
    lines: dict[str, CodeLine] = field(default_factory=dict[str, CodeLine])  # of the user's code, by what they call
    loader_kind: str = ""  # class of the loader that line "loader" goes through
    evaluated_kind: str = ""  # class of the loader that line "evaluated" goes through
    loader_batch: int = 0  # samples that it gives at a time; 0 where that is unknown
    declared: DeclaredLoss | None = None  # what the user gave as loss_fn
    unread: dict[str, str] = field(default_factory=dict[str, str])  # facts whose newest tensor was unreadable, and why
    ended: bool = False
    crashed: str = ""  # the exception that ended the block
    crash: str = ""  # its words
    crashed_at: CodeLine | None = None  # the innermost line of the user's under way
    epoch_steps: int | None = None  # once the first sample came back
    samples_seen: int = 0  # different training samples
    declared_overlap: float = 0.0  # share of the validation loader's samples that the training loader holds
    declares_held_out: bool = False  # whether that could be told
    doubled: float = 0.0  # share of the samples of the first epoch that stand in it more than once
    chance_overlap: float = 0.0  # share of the samples whose like stands among those seen by chance
    same_order: bool = False  # the second epoch came in the order of the first
    full_batch: bool = False  # each step sees all samples
    net: Net = field(default_factory=Net)
    loss: Curve = field(default_factory=Curve)
    first_loss: float = float("nan")  # of the block, where a training goes on in it
    accuracy: Curve = field(default_factory=Curve)
    accuracy_samples: int = 0  # of the newest batch in it; 0 where that is unknown
    losses_per_step: float = 1.0
    weighs_samples: bool = False  # the loss multiplies each sample by a number of its own, such as a return
    # A column of answers that became as many as all pairs beside a row: its shape, and that of the pairs.
    grown: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    grown_steps: int = 0  # of the first three, those in which it was so
    overlaps_of_logits: int = 0  # the same of an overlap (dice, IoU) that was taken of what a layer gave
    scaled: bool = False  # a GradScaler is at work
    scaling: Scaling = field(default_factory=Scaling)
    carried: Handed = field(default_factory=Handed)
    averaged: Averaged | None = None
    unfair: dict[str, Unfair] = field(default_factory=dict[str, Unfair])  # of evaluations, by kind
    drawing: Draws = field(default_factory=Draws)
    unrelated: Unrelated = field(default_factory=Unrelated)
    copied: Copied = field(default_factory=Copied)
    loss_ratio: Series = field(default_factory=Series)  # largest over smallest of the losses that are added up as is
    mixed_reductions: int = 0  # samples of a batch that one term of the loss averages over and another one sums
    losses_added: tuple[float, float] = (float("nan"), float("nan"))  # the smallest and the largest, at the first step
    # Frozen normalisations that are in training mode, and by how many deviations their running statistics have moved.
    drifting: dict[str, float] = field(default_factory=dict[str, float])
    checkpointed_dry: int = 0  # calls of checkpoint() none of whose inputs needs a gradient, though the net does
    dropped_evaluations: int = 0  # in evaluation mode, in which torch.nn.functional.dropout was at work all the same
    draws_at_random: bool = False  # a loader of the training shuffles
    code_read: bool = False  # whether the source of the loop was found and read
    code: dict[str, CodeLine] = field(default_factory=dict[str, CodeLine])  # what was read in the user's own lines
    layers: dict[str, Layer] = field(default_factory=dict[str, Layer])
    activations: dict[str, Activation] = field(default_factory=dict[str, Activation])
    inputs: Inputs = field(default_factory=Inputs)
    labels: LabelFacts = field(default_factory=LabelFacts)
    heads: list[Head] = field(default_factory=list[Head])
    optimisers: list[Optimiser] = field(default_factory=list[Optimiser])
    schedulers: list[Scheduler] = field(default_factory=list[Scheduler])
    evaluations: list[Evaluation] = field(default_factory=list[Evaluation])
    timing: Timing = field(default_factory=Timing)
    together: Series = field(default_factory=Series)  # spread of answers that a loss only draws together, of one net
    attached: int = 0  # of the first three steps those whose loss compares two numbers a sample that one net gave
    low_loss: LowLoss | None = None
    interventions: dict[str, Intervention] = field(default_factory=dict[str, Intervention])  # by name of the module
    training_modes: Series = field(default_factory=Series)  # 1 where a training pass ran in training mode
    noise: Series = field(default_factory=Series)  # share of the gradient that is the same from step to step
    draws_in_order: bool | None = None  # what the sampler of the loader says; None where none was given
    alignment_sum: float = float("nan")  # the same of ctc_loss
    divergence_sum: float = float("nan")  # mean sum of exp(first argument) over the classes, of kl_div
    refused: str = ""  # the loss function that raised
    refused_low: float = 0.0  # of the outputs it was given
    refused_high: float = 0.0
    nonfinite_at: int | None = None  # the first step whose loss was not finite
    nonfinite_where: str = ""
    nonfinite_what: str = ""  # input, weight, activation, loss, gradient

    def add_ordinary(self, loss: float) -> None:
        """A step of the only optimiser of which nothing but the loss was measured."""
        self.step += 1
        self.forwards += 1
        self.backwards += 1
        self.optimisers[0].steps += 1
        self.loss.add(loss)
