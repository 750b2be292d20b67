"""How a loop goes about its training, beside the net and the numbers: parts of Measured."""

from dataclasses import dataclass, field

from danlu.base.records import CodeLine
from danlu.watch.series import Series


@dataclass
class Scaling:
    """How a GradScaler was used."""

    clips: int = 0  # of gradients that were scaled, and still were so
    clipped_since: int = 0
    steps: int = 0  # of an optimiser called by itself, with gradients that were still scaled
    stepped_since: int = 0
    called: int = 0  # its own step()
    bare: int = 0  # of these, those with gradients of a loss that was scaled to no use: the loss itself went backwards
    bare_since: int = 0
    updates: int = 0
    scale: float = 0.0


@dataclass
class Handed:
    """What of one step's call goes into the next one's: the state of a recurrent net, handed on by hand."""

    times: int = 0  # measured steps whose call was given the state of the step before
    apart: int = 0  # of these, those whose samples do not go on where the ones before ended
    attached: int = 0  # of these, those whose state came with the graph of the step before
    alike: int = 0  # measured steps that called the net on two views of the samples that are the same
    own: int = 0  # measured steps whose loss looks for each sample among all of them, itself included
    partners: int = 0  # measured steps whose loss looks for one partner of each sample among all of another kind
    cosines: int = 0  # measured steps whose loss takes a softmax of likenesses from -1 to 1, of each sample with all
    floor: float = float("nan")  # the lowest that such a loss can be
    told: int = 0  # of the times, those after targets that were the inputs one place on
    nodes: Series = field(default_factory=Series)  # of the graph of the loss
    held: tuple[str, str] | None = None  # the module and its attribute that such a state is held in


@dataclass
class Rewarded:
    """How a net learns from rewards, in numbers."""

    ends: int = 0  # of episodes, among the samples whose targets were compared with their rewards
    exact: int = 0  # of these, those whose target is the reward alone
    others: int = 0  # samples that are no end
    plain: int = 0  # of these, those whose target is the reward alone
    rewarded: int = 0  # ends with a reward
    cleared: int = 0  # of these, those whose target is 0
    # Measured backward passes by whether they make chances of what paid off smaller, and the entropy beside them.
    against: dict[bool, int] = field(default_factory=dict[bool, int])
    entropy_lowered: dict[bool, int] = field(default_factory=dict[bool, int])


@dataclass
class Averaged:
    """A copy of the net that is evaluated, and whose weights follow those of the net."""

    step: int
    calls: int = 0
    kept: float = float("nan")  # by how much of the way from the first weights to those of the net it lags behind
    stale: int = 0  # calls in evaluation mode with the statistics of normalisation that it had before, or at first
    stale_since: int = 0
    frozen: int = 0  # steps of the training that it took part in with the weights that it had at first
    kind: str = ""  # its class, where that does nothing but average
    training: int = 0  # calls in training mode, of a copy that drops or normalises by its batch
    away: float = 0.0  # by how many times the way of the net it has gone from the first weights the other way


@dataclass(frozen=True)
class Unfair:
    """Something an evaluation does that makes its score another than that of the data; by kind in Measured."""

    step: int
    share: float = float("nan")
    score: float = float("nan")
    other: float = float("nan")
    how: str = ""


@dataclass
class Unrelated:
    """Targets of the shape of the inputs: how far they go with them; and one target a sample: whether at all."""

    step: int = 0
    numbers: int = 0
    correlation: float = float("nan")
    mean: float = float("nan")
    std: float = float("nan")
    pairs: int = 0  # samples with one target each that were compared
    relation: float = float("nan")  # how far their targets go with them, in standard deviations of chance


@dataclass
class Copied:
    """A target that is one of the numbers that the net is given beside it."""

    steps: int = 0  # measured steps, all of them so far, in which it is the same one
    place: int = -1
    places: int = 0
    in_time: bool = False  # the last place of a sequence


@dataclass
class Draws:
    """How the loaders of the training draw samples and random numbers."""

    passes: int = 0  # through a loader whose DistributedSampler shuffles
    unchanged: int = 0  # of these, those in the order of the one before: its epoch was not set
    unchanged_since: int = 0
    # Why random numbers of the loading come again: "generator", one of the data set's own that every worker copies;
    # "constant", a worker_init_fn that seeds all alike; "worker", one that seeds by the worker alone; "sample", a seed
    # set for each sample anew.
    repeats: str = ""
    apart: int = 0  # passes that two loaders of as many samples began together, each in an order of its own
    workers: int = 0
    named: str = ""  # of the generator
    line: CodeLine | None = None
