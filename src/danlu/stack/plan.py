"""What all stacks of a training have in common, and how members are shared out among them."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from danlu.base.events import StackListener, Stop
from danlu.stack.build import Way
from danlu.stack.feed import StackFeed, Stream
from danlu.stack.layout import Layout
from danlu.stack.members import FoldRows, StackMember, Trained
from danlu.stack.running import RunningStack
from danlu.stack.scores import StackScorer
from danlu.stack.step import StackedStep
from danlu.train.schedules import Horizon

_MOST_UNEVEN = 1.1  # times the mean size of the stacks

Listeners = Callable[[RunningStack], Sequence[StackListener]]
"""Those of a stack that is about to begin, which they may put where an earlier one stood."""


@dataclass(frozen=True)
class StackPlan:
    """What all stacks of a training have in common."""

    nets: Sequence[nn.Module]
    members: Sequence[StackMember]
    folds: Sequence[FoldRows]
    judge: StackScorer
    way: Way
    device: torch.device
    validate: str = "end"
    asked_to_stop: Callable[[], bool] = lambda: False
    listeners: Listeners | None = None

    def prepared(self, places: Sequence[int]) -> tuple[StackedStep, StackFeed]:
        """The step of the members at `places`, which lie group by group, and their batches."""
        members = [self.members[place] for place in places]
        recipes = [member.recipe for member in members]
        keys = [_stream(member) for member in members]
        streams = list(dict.fromkeys(keys))
        group_of = [streams.index(key) for key in keys]
        size = (recipes[0].train.batch_size or 0) * recipes[0].train.accumulate
        feed = StackFeed(self.folds, streams, Layout.of(group_of, self.device), size)
        horizon = Horizon(recipes[0].train.epochs or 1, feed.steps_per_epoch)
        nets = [self.nets[place] for place in places]
        step = StackedStep(nets, recipes, horizon, self.device, group_of=group_of, way=self.way)
        return step, feed

    def carry_out(self, places: Sequence[int]) -> Trained | Stop:
        """Train the members at `places` as one stack."""
        stack = self.begun(places)
        return stack.train(None) or stack.trained()

    def begun(self, places: Sequence[int]) -> RunningStack:
        """A stack of the members at `places`, before its first step, or where its listeners put it."""
        step, feed = self.prepared(places)
        stack = RunningStack(places, step, feed, self.judge, self.validate, self.device, self.asked_to_stop)
        if self.listeners:
            stack.listeners = self.listeners(stack)
        return stack


def cut(
    members: Sequence[StackMember], folds: Sequence[FoldRows], most: int, workers: int, *, fills: bool = False
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
        # As many for each worker: the last stacks would keep some of them waiting else.
        rounds = max(1, math.ceil(len(places) / (most * workers)))
        pieces = min(rounds * workers, len(places))
        edges = _edges([_stream(members[place]) for place in places], pieces, most)
        stacks += [places[start:end] for start, end in pairwise(edges)]
    return sorted(stacks, key=len, reverse=True)


def _edges(streams: Sequence[Stream], pieces: int, most: int) -> list[int]:
    """Where so many pieces of members begin and end, of nearly one size. Between two groups, where the largest piece
    grows little by it: products of whole groups are faster than those of single members."""
    even = [round(number * len(streams) / pieces) for number in range(pieces + 1)]
    starts = [place for place in range(len(streams)) if place == 0 or streams[place] != streams[place - 1]]
    starts.append(len(streams))
    whole = [min(starts, key=lambda start: abs(start - edge)) for edge in even]
    sizes = [end - start for start, end in pairwise(whole)]
    fits = min(sizes) > 0 and max(sizes) <= min(most, _MOST_UNEVEN * len(streams) / pieces)
    return whole if fits else even


def sample_of(fold: FoldRows) -> Tensor:
    """A few inputs as the net gets them."""
    inputs = fold.inputs.index_select(0, fold.train[:4])
    return fold.transform(inputs) if fold.transform else inputs


def _stream(member: StackMember) -> Stream:
    seed = member.seed if member.order_seed is None else member.order_seed
    return Stream(member.fold, seed, member.recipe.data.shuffle, member.recipe.data.balance == "classes")


def _key(stream: Stream) -> tuple[int, int, bool, bool]:
    return stream.fold, stream.seed, stream.shuffle, stream.balance
