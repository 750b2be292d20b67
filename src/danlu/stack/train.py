"""All members of a study: cut into stacks that fit cache and memory, one stack a core, each trained to its end."""

import math
import time
from collections.abc import Callable, Sequence, Set

import torch
from torch import Tensor, nn

from danlu.base.events import Stop
from danlu.base.seeds import cores
from danlu.stack.build import Way, find_way, same_step, same_structure
from danlu.stack.choices import choices
from danlu.stack.halving import Halving, Standing, in_rungs
from danlu.stack.members import FoldRows, StackMember, Trained
from danlu.stack.memory import suggested_members
from danlu.stack.plan import Listeners, StackPlan, cut, sample_of
from danlu.stack.running import RunningStack
from danlu.stack.scores import StackScorer
from danlu.stack.side_by_side import side_by_side

Finished = Callable[[Sequence[int], Trained], None]


def train_members(
    nets: Sequence[nn.Module],
    members: Sequence[StackMember],
    folds: Sequence[FoldRows],
    *,
    task: str,
    outputs: int,
    device: torch.device,
    scale: Tensor | None = None,
    bounds: Tensor | None = None,
    rare: int | None = None,
    naive: float | None = None,
    most_members: int | None = None,
    workers: int | None = None,
    validate: str = "auto",
    wanted: Set[int] | None = None,
    halving: Halving | None = None,
    listeners: Listeners | None = None,
    finished: Finished | None = None,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Trained | Stop:
    """Train every net by its member's recipe; Stop when told to break off.

    The nets share structure, the recipes all but numbers; weights of `nets` stay as they are. `task`, `outputs`, `rare`
    and `naive` are those of the data, `scale` the unit of standardised targets. A stack has at most `most_members`
    (None: what cache and memory suggest); `workers` are trained side by side (None: one a core). The validation part is
    scored after each epoch ("epochs"), once ("end"), or as needed ("auto"). Only stacks with a member in `wanted` are
    trained (None: all), and `halving` drops members at its rungs. `finished` hears of each stack that ends.

    >>> from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, TrainRecipe
    >>> x = torch.linspace(-1, 1, 32)[:, None]
    >>> fold = FoldRows(x, 3 * x, torch.arange(24), torch.arange(24, 32))
    >>> optim, train = OptimRecipe(name="sgd", lr=0.1), TrainRecipe(epochs=100, batch_size=8)
    >>> recipe = Recipe(loss=LossRecipe(name="mse"), optim=optim, train=train)
    >>> nets = [nn.Linear(1, 1) for _ in range(2)]
    >>> cpu = torch.device("cpu")
    >>> trained = train_members(nets, [StackMember(recipe)] * 2, [fold], task="regression", outputs=1, device=cpu)
    >>> [round(float(state["weight"]), 2) for state in trained.states]
    [3.0, 3.0]
    """
    assert same_structure(*nets)
    assert same_step(*(member.recipe for member in members))
    begin = time.perf_counter()
    scorer = _scorer(members[0], task, outputs, scale, bounds, rare, naive)
    way = _way(nets[0], members, folds)
    plan = StackPlan(nets, members, folds, scorer, way, device, validate, asked_to_stop, listeners)
    beside = workers or _workers(device)
    stacks = cut_members(nets[0], members, folds, device=device, most_members=most_members, workers=beside)
    if wanted is not None:
        stacks = [stack for stack in stacks if not wanted.isdisjoint(stack)]
    if halving is None:
        results = side_by_side(plan.carry_out, stacks, beside, finished)
    else:
        results = _halved(plan, halving, stacks, beside, finished)
    return results if isinstance(results, Stop) else _joined(results, len(members), time.perf_counter() - begin)


def _halved(
    plan: StackPlan, halving: Halving, stacks: list[list[int]], beside: int, finished: Finished | None
) -> list[tuple[list[int], Trained]] | Stop:
    results = in_rungs(plan, halving, stacks, beside)
    if finished and not isinstance(results, Stop):
        for places, trained in results:
            finished(places, trained)
    return results


def cut_members(
    net: nn.Module,
    members: Sequence[StackMember],
    folds: Sequence[FoldRows],
    *,
    device: torch.device,
    most_members: int | None = None,
    workers: int | None = None,
    room: int | None = None,
) -> list[list[int]]:
    """The places of the members of each stack that `train_members` would train, as was decided when the study began.

    `net` is one of those of the members; `workers` are trained side by side (None: one a core), each with `room` bytes
    of memory (None: its share of what is free here).
    """
    workers = workers or _workers(device)
    sample = sample_of(folds[members[0].fold])
    size = members[0].recipe.train.batch_size or 1
    most = most_members or _suggested(net, sample, size, device, workers, room)
    return cut(members, folds, most, workers, fills=_way(net, members, folds).fills)


def train_stack(
    nets: Sequence[nn.Module],
    members: Sequence[StackMember],
    folds: Sequence[FoldRows],
    *,
    task: str,
    outputs: int,
    device: torch.device,
    scale: Tensor | None = None,
    bounds: Tensor | None = None,
    rare: int | None = None,
    naive: float | None = None,
    listeners: Listeners | None = None,
    asked_to_stop: Callable[[], bool] = lambda: False,
    begun: Standing | None = None,
    until: int | None = None,
) -> RunningStack | Stop:
    """One of the stacks of `cut_members`, trained in this thread from where it stands (`begun`, None: its beginning) to
    epoch `until`, None: to its end. To the last bit what `train_members`, whose arguments these are, makes of it beside
    the others; Stop when told to break off.
    """
    scorer = _scorer(members[0], task, outputs, scale, bounds, rare, naive)
    way = _way(nets[0], members, folds)
    plan = StackPlan(nets, members, folds, scorer, way, device, "auto", asked_to_stop, listeners)
    stack = plan.begun(range(len(nets)))
    if begun is not None:
        stack.load(begun.tensors, begun.state)
    return stack.train(until) or stack


def _scorer(
    member: StackMember, task: str, outputs: int, scale: Tensor | None, bounds: Tensor | None, rare: int | None,
    naive: float | None,
) -> StackScorer:  # fmt: skip
    loss = member.recipe.loss
    return StackScorer(task, outputs, loss.name, loss.delta, scale, bounds, loss.gamma, rare, naive)


def _way(net: nn.Module, members: Sequence[StackMember], folds: Sequence[FoldRows]) -> Way:
    way = find_way(net, sample_of(folds[members[0].fold]))
    assert way is not None
    return way


def _workers(device: torch.device) -> int:
    return choices().once("workers", cores) if device.type == "cpu" else 1


def _suggested(net: nn.Module, sample: Tensor, size: int, device: torch.device, workers: int, room: int | None) -> int:
    """How many members cache and memory suggest: decided once, for the free memory is another each time."""
    weights = sum(tensor.numel() for tensor in net.parameters())
    name = f"members {type(net).__name__} {weights} {tuple(sample.shape[1:])} {size} {workers}"
    return choices().once(name, lambda: suggested_members(net, sample, size, device, workers, room))


def _joined(results: Sequence[tuple[list[int], Trained]], count: int, seconds: float) -> Trained:
    """The outcomes of all stacks as one, in the order of the members."""
    states: list[dict[str, Tensor]] = [{}] * count
    first = results[0][1]
    train_loss = first.train_loss.new_full((len(first.train_loss), count), math.nan)
    validation = {name: torch.full_like(train_loss, math.nan) for name in first.validation}
    score = {name: torch.full((count,), math.nan, dtype=torch.float64) for name in first.score}
    epochs, chosen, diverged, dropped = (torch.zeros(count, dtype=torch.int64) for _ in range(4))
    for places, trained in results:
        for place, state in zip(places, trained.states, strict=True):
            states[place] = state
        train_loss[:, places] = trained.train_loss
        epochs[places], chosen[places] = trained.epochs, trained.chosen
        diverged[places], dropped[places] = trained.diverged, trained.dropped
        for name, values in trained.validation.items():
            validation[name][:, places] = values
            score[name][places] = trained.score[name]
    return Trained(states, train_loss, validation, score, epochs, chosen, diverged, dropped, seconds)
