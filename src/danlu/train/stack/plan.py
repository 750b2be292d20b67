"""What all stacks of a training have in common, how members are shared out among them, and one stack on its way."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from danlu.base.events import Stop
from danlu.base.seeds import exact_kernels
from danlu.train.schedules import Horizon
from danlu.train.stack.build import Way
from danlu.train.stack.feed import Feed, Stream
from danlu.train.stack.layout import Layout
from danlu.train.stack.loop import train_stack
from danlu.train.stack.members import Fold, Member, Trained
from danlu.train.stack.progress import StackProgress
from danlu.train.stack.scores import Judge
from danlu.train.stack.step import StackedStep


@dataclass(frozen=True)
class Plan:
    """What all stacks of a training have in common."""

    nets: Sequence[nn.Module]
    members: Sequence[Member]
    folds: Sequence[Fold]
    judge: Judge
    way: Way
    device: torch.device
    validate: str
    asked_to_stop: Callable[[], bool]

    def prepared(self, places: Sequence[int]) -> tuple[StackedStep, Feed]:
        """The step of the members at `places`, which lie group by group, and their batches."""
        members = [self.members[place] for place in places]
        recipes = [member.recipe for member in members]
        keys = [_stream(member) for member in members]
        streams = list(dict.fromkeys(keys))
        group_of = [streams.index(key) for key in keys]
        size = (recipes[0].train.batch_size or 0) * recipes[0].train.accumulate
        feed = Feed(self.folds, streams, Layout.of(group_of, self.device), size)
        horizon = Horizon(recipes[0].train.epochs or 1, feed.steps_per_epoch)
        nets = [self.nets[place] for place in places]
        step = StackedStep(nets, recipes, horizon, self.device, group_of=group_of, way=self.way)
        return step, feed

    def carry_out(self, places: Sequence[int]) -> Trained | Stop:
        """Train the members at `places` as one stack."""
        stack = self.begun(places)
        return stack.train(None) or stack.trained()

    def begun(self, places: Sequence[int]) -> "Underway":
        """A stack of the members at `places`, before its first step."""
        step, feed = self.prepared(places)
        recipes = step.recipes
        sums = recipes[0].loss.reduction == "sum"
        progress = StackProgress(recipes, recipes[0].train.epochs or 1, loss_is_sum=sums)
        return Underway(self, list(places), step, feed, progress)


@dataclass(eq=False)
class Underway:
    """A stack on its way: it can be trained up to an epoch, looked at, and trained on."""

    plan: Plan
    places: list[int]
    step: StackedStep
    feed: Feed
    progress: StackProgress
    seconds: float = 0.0

    def train(self, until: int | None) -> Stop | None:
        """Train to epoch `until`, None: to the end; Stop when told to break off."""
        begin = time.perf_counter()
        plan, progress = self.plan, self.progress
        needed = progress.needs_epochs or self.step.schedules.sees
        every_epoch = plan.validate == "epochs" or (plan.validate == "auto" and needed)
        with exact_kernels(plan.device):
            stop = train_stack(
                self.step,
                self.feed,
                plan.judge,
                progress,
                every_epoch=every_epoch,
                until=until,
                asked_to_stop=plan.asked_to_stop,
            )
        self.seconds += time.perf_counter() - begin
        return stop

    def trained(self) -> Trained:
        """What came out so far."""
        return self.progress.trained(self.seconds)


def cut(
    members: Sequence[Member], folds: Sequence[Fold], most: int, workers: int, *, fills: bool = False
) -> list[list[int]]:
    """The places of the members of each stack, largest stack first.

    A stack's folds are of one size, or with `fills` of one number of batches, so that its members take each step
    together; members that see the same batches lie side by side. There are enough stacks to keep all workers busy.
    """
    by_size: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for place, member in enumerate(members):
        fold, train = folds[member.fold], member.recipe.train
        held = 0 if fold.validation is None else len(fold.validation)
        batches = -(-len(fold.train) // ((train.batch_size or 1) * train.accumulate))
        filled = fills and train.accumulate == 1
        by_size[(batches, min(held, 1)) if filled else (len(fold.train), held)].append(place)
    stacks: list[list[int]] = []
    for places in by_size.values():
        places.sort(key=lambda place: (_key(_stream(members[place])), place))
        pieces = max(math.ceil(len(places) / most), min(workers, len(places)))
        share = len(places) / pieces
        edges = [round(number * share) for number in range(pieces + 1)]
        stacks += [places[start:end] for start, end in pairwise(edges)]
    return sorted(stacks, key=len, reverse=True)


def sample_of(fold: Fold) -> Tensor:
    """A few inputs as the net gets them."""
    inputs = fold.inputs.index_select(0, fold.train[:4])
    return fold.transform(inputs) if fold.transform else inputs


def _stream(member: Member) -> Stream:
    seed = member.seed if member.order_seed is None else member.order_seed
    return Stream(member.fold, seed, member.recipe.data.shuffle)


def _key(stream: Stream) -> tuple[int, int, bool]:
    return stream.fold, stream.seed, stream.shuffle
