"""What is measured of passes beside the training's own: evaluations, changed inputs on a copy; and of their times."""

from dataclasses import dataclass, field

from danlu.watch.series import Series


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
    # Of the targets between the first and the last that the loss counts, the share that it leaves out though they are
    # the inputs that follow.
    gaps: float = float("nan")
    left_out: float = float("nan")  # of the places that are no padding, the share whose class the loss leaves out


@dataclass
class Timing:
    """Seconds of the newest measured steps."""

    wait: Series = field(default_factory=Series)  # from the end of a step to the next forward pass
    work: Series = field(default_factory=Series)  # from there to the end of the step
    memory: Series = field(default_factory=Series)  # resident bytes
