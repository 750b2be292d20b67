"""What the probes have measured so far: series and plain facts, without a tensor, for the rules to read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from danlu.base.records import CodeLine
from danlu.watch.conduct import Averaged, Copied, Draws, Handed, Rewarded, Scaling, Unfair, Unrelated
from danlu.watch.data_facts import Inputs, LabelFacts
from danlu.watch.layer_facts import Activation, Layer, Net
from danlu.watch.loss_facts import DeclaredLoss, Head, LowLoss
from danlu.watch.optimiser_facts import Optimiser, Scheduler
from danlu.watch.pass_facts import Evaluation, Intervention, Timing
from danlu.watch.series import Curve, Series

NO_TENSOR = "-"
"""Why there was nothing to read, in Measured.unread: no tensor was found at all."""


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
    rewarded: Rewarded = field(default_factory=Rewarded)
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

    def add_ordinary(self, losses: Sequence[float]) -> None:
        """Steps of the only optimiser of which nothing but the losses was measured."""
        self.step += len(losses)
        self.backwards += len(losses)
        self.optimisers[0].steps += len(losses)
        self.loss.extend(losses)
