"""One move: a recipe trained with every seed as one stack, with pictures of what the nets say on the way."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from danlu.base.events import StackEvent, StepDone, Stop
from danlu.base.seeds import one_thread, preserved_randomness
from danlu.lab.play.ground import Plane
from danlu.lab.play.settings import SEEDS
from danlu.stack import Choices, RunningStack, StackMember, choosing_here, train_stack
from danlu.stats.members import Member
from danlu.study.alone import BUSY
from danlu.study.plan import Planned
from danlu.study.samples import scoring_of, stack_folds

_FIRST = 0.1  # seconds of training before the first picture
_BETWEEN = 0.2  # and between two, at least
_AT_ONCE = 400  # places: few enough for the processor's cache
_SHARE = 0.2  # of the time that pictures may take


@dataclass(frozen=True, eq=False)
class Boundaries:
    """What the nets say after so many of all `epochs`; `nets` counts those whose outputs are numbers.

    `votes` [C, SIDE²]: how many of them say each class. `lead` [C, SIDE²]: by how much the mean of their probabilities
    for a class exceeds that for the likeliest other one; of a regression the mean output, standardised, and its
    opposite. It is 0 on the boundary of the mean.
    """

    epoch: int
    epochs: int
    nets: int
    votes: Tensor
    lead: Tensor


def train_seeds(
    planned: Planned, plane: Plane, tell: Callable[[Boundaries], None], asked_to_stop: Callable[[], bool]
) -> list[Member] | None:
    """Train a combination with all `SEEDS` in this thread: one member for each, None when told to break off.

    `tell` hears of the boundaries as they form, and of those at the end.
    """
    setup, fold = planned.setup, planned.folds[0]
    with preserved_randomness(), one_thread(), choosing_here(Choices()):
        with BUSY:
            nets = [planned.net(seed) for seed in SEEDS]
        stack = train_stack(
            nets,
            [StackMember(planned.recipe(seed, fold)) for seed in SEEDS],
            stack_folds(planned.folds, setup.device, setup.dtype),
            **scoring_of(setup.data),
            device=setup.device,
            listeners=lambda stack: [_Watching(stack, plane, tell)],
            asked_to_stop=asked_to_stop,
        )
        if isinstance(stack, Stop):
            return None
        tell(_picture(stack, plane))
    trained = stack.trained()
    return [
        Member(
            {}, seed, 0, {name: float(values[place]) for name, values in trained.score.items()},
            bool(trained.diverged[place]), fold.sizes["validation"],
        )
        for place, seed in enumerate(SEEDS)
    ]  # fmt: skip


class _Watching:
    """The listener that makes a picture now and then, so seldom that training hardly takes longer."""

    def __init__(self, stack: RunningStack, plane: Plane, tell: Callable[[Boundaries], None]) -> None:
        self._stack, self._plane, self._tell = stack, plane, tell
        self._next = time.monotonic() + _FIRST

    def __call__(self, event: StackEvent) -> None:
        begin = time.monotonic()
        if isinstance(event, StepDone) and begin >= self._next:
            self._tell(_picture(self._stack, self._plane))
            end = time.monotonic()
            self._next = end + max(_BETWEEN, (end - begin) / _SHARE)


@torch.no_grad()
def _picture(stack: RunningStack, plane: Plane) -> Boundaries:
    step, groups = stack.step, stack.step.layout.groups
    with step.scored():
        parts = plane.grid.to(step.batch_loss).split(_AT_ONCE)
        # A stack gives out its buffer, which the next part is written to.
        outputs = torch.cat([step.predict(part.expand(groups, *part.shape)).clone() for part in parts], 2)
    outputs = outputs[outputs.isfinite().flatten(1).all(1)]
    classes = len(plane.classes)
    if plane.data.task == "regression":
        mean = outputs[:, 0].sum(0) / max(1, len(outputs))
        says, lead = (outputs[:, 0] <= 0).long(), torch.stack([mean, -mean])
    else:
        shares = outputs.softmax(1).sum(0) / max(1, len(outputs))
        best = shares.topk(2, 0).values
        says, lead = outputs.argmax(1), shares - torch.where(shares == best[0], best[1], best[0])
    votes = torch.stack([(says == number).sum(0) for number in range(classes)])
    progress = stack.progress
    return Boundaries(progress.epoch, progress.epochs, len(outputs), votes, lead)
