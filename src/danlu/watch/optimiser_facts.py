"""What is measured of optimisers and learning-rate schedulers."""

from dataclasses import dataclass, field

from danlu.base.records import CodeLine
from danlu.watch.series import Series


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
    maximizes: bool = False
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
