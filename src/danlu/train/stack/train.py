"""All members of a study: cut into stacks that fit cache and memory, one stack a core, each trained to its end."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from danlu.base.events import Stop
from danlu.base.seeds import cores, exact_kernels, use_threads
from danlu.train.schedules import Horizon
from danlu.train.stack.build import Way, find_way, same_step, same_structure
from danlu.train.stack.feed import Feed, Stream
from danlu.train.stack.layout import Layout
from danlu.train.stack.loop import train_stack
from danlu.train.stack.members import Fold, Member, Trained
from danlu.train.stack.memory import suggested_members
from danlu.train.stack.progress import StackProgress
from danlu.train.stack.scores import Judge
from danlu.train.stack.step import StackedStep

Finished = Callable[[Sequence[int], Trained], None]


def train_members(
    nets: Sequence[nn.Module],
    members: Sequence[Member],
    folds: Sequence[Fold],
    *,
    task: str,
    outputs: int,
    device: torch.device,
    scale: Tensor | None = None,
    most_members: int | None = None,
    workers: int | None = None,
    validate: str = "auto",
    finished: Finished | None = None,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Trained | Stop:
    """Train every net by its member's recipe; Stop when told to break off.

    The nets share structure (`same_structure`), the recipes all but numbers (`same_step`); weights of `nets` stay as
    they are. `task` and `outputs` are those of the data, `scale` the unit of standardised regression targets. A stack
    has at most `most_members` (None: what cache and memory suggest); `workers` stacks are trained side by side (None:
    one a core on the CPU). The validation part is scored after each epoch ("epochs"), once ("end"), or as the recipes
    need it ("auto"). `finished` hears of every stack as it ends: the places of its members, and what came out.

    >>> from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, TrainRecipe
    >>> x = torch.linspace(-1, 1, 32)[:, None]
    >>> fold = Fold(x, 3 * x, torch.arange(24), torch.arange(24, 32))
    >>> recipe = Recipe(
    ...     loss=LossRecipe(name="mse"), optim=OptimRecipe(lr=0.1), train=TrainRecipe(epochs=100, batch_size=8)
    ... )
    >>> nets = [nn.Linear(1, 1) for _ in range(2)]
    >>> cpu = torch.device("cpu")
    >>> trained = train_members(nets, [Member(recipe)] * 2, [fold], task="regression", outputs=1, device=cpu)
    >>> [round(float(state["weight"]), 2) for state in trained.states]
    [3.0, 3.0]
    """
    assert same_structure(*nets)
    assert same_step(*(member.recipe for member in members))
    begin = time.perf_counter()
    workers = workers or (cores() if device.type == "cpu" else 1)
    sample = sample_of(folds[members[0].fold])
    way = find_way(nets[0], sample)
    assert way is not None
    recipe = members[0].recipe
    judge = Judge(task, outputs, recipe.loss.name, recipe.loss.delta, scale)
    plan = Plan(nets, members, folds, judge, way, device, validate, asked_to_stop)
    size = recipe.train.batch_size or 1
    most = most_members or suggested_members(nets[0], sample, size, device, workers)
    stacks = cut(members, folds, most, workers, fills=way.fills)
    results = _carried_out(plan, stacks, workers, finished)
    if isinstance(results, Stop):
        return results
    return _joined(results, len(members), time.perf_counter() - begin)


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
        horizon = Horizon(recipes[0].train.epochs, feed.steps_per_epoch)
        nets = [self.nets[place] for place in places]
        step = StackedStep(nets, recipes, horizon, self.device, group_of=group_of, way=self.way)
        return step, feed

    def carry_out(self, places: Sequence[int]) -> Trained | Stop:
        """Train the members at `places` as one stack."""
        begin = time.perf_counter()
        step, feed = self.prepared(places)
        recipes = step.recipes
        sums = recipes[0].loss.reduction == "sum"
        progress = StackProgress(recipes, recipes[0].train.epochs, loss_is_sum=sums)
        needed = progress.needs_epochs or step.schedules.sees
        every_epoch = self.validate == "epochs" or (self.validate == "auto" and needed)
        with exact_kernels(self.device):
            stop = train_stack(
                step, feed, self.judge, progress, every_epoch=every_epoch, asked_to_stop=self.asked_to_stop
            )
        return stop or progress.trained(time.perf_counter() - begin)


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


def _stream(member: Member) -> Stream:
    seed = member.seed if member.order_seed is None else member.order_seed
    return Stream(member.fold, seed, member.recipe.data.shuffle)


def _key(stream: Stream) -> tuple[int, int, bool]:
    return stream.fold, stream.seed, stream.shuffle


def sample_of(fold: Fold) -> Tensor:
    """A few inputs as the net gets them."""
    inputs = fold.inputs.index_select(0, fold.train[:4])
    return fold.transform(inputs) if fold.transform else inputs


Results = list[tuple[list[int], Trained]]


def _carried_out(plan: Plan, stacks: Sequence[list[int]], workers: int, finished: Finished | None) -> Results | Stop:
    """Every stack's outcome; a stack for which memory is too small is halved."""
    results: Results = []
    workers = min(workers, len(stacks))
    threads = use_threads(1) if workers > 1 else None  # a core for each stack, not all cores for each operation
    try:
        with ThreadPoolExecutor(workers, initializer=use_threads, initargs=(1,)) as pool:
            # One worker is this thread itself, which has all cores.
            submit = pool.submit if workers > 1 else _at_once
            waiting = {submit(plan.carry_out, places): places for places in stacks}
            while waiting:
                done = next(iter(wait(waiting, return_when=FIRST_COMPLETED).done))
                places = waiting.pop(done)
                outcome = _outcome(done, places)
                if outcome is None:
                    half = len(places) // 2
                    waiting |= {submit(plan.carry_out, part): part for part in (places[:half], places[half:])}
                    continue
                if isinstance(outcome, Stop):
                    pool.shutdown(cancel_futures=True)
                    return outcome
                results.append((places, outcome))
                if finished:
                    finished(places, outcome)
    finally:
        if threads:
            use_threads(threads)
    return results


def _at_once(carry_out: Callable[[list[int]], Trained | Stop], places: list[int]) -> Future[Trained | Stop]:
    future: Future[Trained | Stop] = Future()
    try:
        future.set_result(carry_out(places))
    except RuntimeError as error:
        future.set_exception(error)
    return future


def _outcome(done: Future[Trained | Stop], places: list[int]) -> Trained | Stop | None:
    """None where memory was too small for so many members."""
    try:
        return done.result()
    except RuntimeError as error:
        if len(places) > 1 and (isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)):
            return None
        raise


def _joined(results: Results, count: int, seconds: float) -> Trained:
    """The outcomes of all stacks as one, in the order of the members."""
    states: list[dict[str, Tensor]] = [{}] * count
    first = results[0][1]
    train_loss = first.train_loss.new_empty(len(first.train_loss), count)
    validation = {name: torch.empty_like(train_loss) for name in first.validation}
    score = {name: torch.full((count,), math.nan, dtype=torch.float64) for name in first.score}
    epochs, chosen, diverged = (torch.zeros(count, dtype=torch.int64) for _ in range(3))
    for places, trained in results:
        for place, state in zip(places, trained.states, strict=True):
            states[place] = state
        train_loss[:, places] = trained.train_loss
        epochs[places], chosen[places], diverged[places] = trained.epochs, trained.chosen, trained.diverged
        for name, values in trained.validation.items():
            validation[name][:, places] = values
            score[name][places] = trained.score[name]
    return Trained(states, train_loss, validation, score, epochs, chosen, diverged, seconds)
