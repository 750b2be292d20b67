"""The losses of a few steps of many members at once, from their first weights: what a range test looks at."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from danlu.base.events import StackEvent, StepDone, Stop
from danlu.base.seeds import cores, exact_kernels
from danlu.stack.build import find_way, same_step, same_structure
from danlu.stack.feed import StackFeed
from danlu.stack.members import FoldRows, StackMember
from danlu.stack.memory import suggested_members
from danlu.stack.plan import StackPlan, cut, sample_of
from danlu.stack.scores import StackScorer
from danlu.stack.side_by_side import side_by_side
from danlu.stack.step import StackedStep
from danlu.train.loop import train
from danlu.train.progress import FewSteps, unscored


def first_losses(
    nets: Sequence[nn.Module],
    members: Sequence[StackMember],
    folds: Sequence[FoldRows],
    steps: int,
    *,
    device: torch.device,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Tensor | Stop:
    """The training losses, float64 [steps, K], of the batches of each member's first steps; Stop when told so.

    Nets and members are those that `train_members` takes; weights of `nets` stay as they are. A loss is that before
    the step's update.
    """
    assert same_structure(*nets)
    assert same_step(*(member.recipe for member in members))
    workers = cores() if device.type == "cpu" else 1
    sample = sample_of(folds[members[0].fold])
    way = find_way(nets[0], sample)
    assert way is not None
    recipe = members[0].recipe
    judge = StackScorer("", 1, recipe.loss.name)  # nothing is scored
    plan = StackPlan(nets, members, folds, judge, way, device)
    most = suggested_members(nets[0], sample, recipe.train.batch_size or 1, device, workers)

    def work(places: list[int]) -> Tensor | Stop:
        return _losses(*plan.prepared(places), steps, device, asked_to_stop)

    results = side_by_side(work, cut(members, folds, most, workers, fills=way.fills), workers)
    if isinstance(results, Stop):
        return results
    losses = torch.empty(steps, len(members), dtype=torch.float64)
    for places, own in results:
        losses[:, places] = own
    return losses


@torch.no_grad()
def _losses(
    step: StackedStep, feed: StackFeed, steps: int, device: torch.device, asked_to_stop: Callable[[], bool]
) -> Tensor | Stop:
    found: list[Tensor] = []

    def note(event: StackEvent) -> Stop | None:
        if not isinstance(event, StepDone):
            return None
        found.append(event.loss)
        return Stop("interrupted") if asked_to_stop() else None

    few = FewSteps(steps)
    with exact_kernels(device):
        stop = train(step, feed.batches, unscored, few, [few, note])
    return stop if stop and stop.reason == "interrupted" else torch.stack(found).double().cpu()
