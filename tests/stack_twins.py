"""Members of a stack and the same members trained alone, step for step on the same batches."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from danlu.base.events import Event, StackEvent, StepDone
from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, ScheduleRecipe, TrainRecipe
from danlu.base.seeds import preserved_randomness
from danlu.stack.build import find_way
from danlu.stack.step import Batch, StackedStep
from danlu.train.loop import train
from danlu.train.losses import build_loss
from danlu.train.module_engine import ModuleEngine
from danlu.train.optimisers import build_optimiser, resolve_optim
from danlu.train.progress import FewSteps, unscored
from danlu.train.schedules import Horizon, Schedule

CPU = torch.device("cpu")
STEPS = 30
SAMPLES = 8
HORIZON = Horizon(epochs=5, steps_per_epoch=6)


def recipe(
    optim: OptimRecipe | None = None,
    *,
    loss: str = "cross-entropy",
    schedule: ScheduleRecipe | None = None,
    smoothing: float = 0.0,
    **train: object,
) -> Recipe:
    """A recipe with every choice made."""
    return Recipe(
        optim=resolve_optim(optim or OptimRecipe(lr=0.05, momentum=0.9)),
        loss=LossRecipe(name=loss, label_smoothing=smoothing),
        schedule=schedule or ScheduleRecipe(),
        train=TrainRecipe(batch_size=SAMPLES, **train),  # type: ignore[arg-type]
    )


def twins(make: Callable[[int], nn.Module], count: int, dtype: torch.dtype) -> list[nn.Module]:
    """`count` nets, each with weights of its own."""
    nets: list[nn.Module] = []
    with preserved_randomness():
        for seed in range(count):
            torch.manual_seed(seed)
            nets.append(make(seed).to(dtype))
    return nets


Batches = list[tuple[Tensor, Tensor]]


def batches(shape: Sequence[int], classes: int, groups: int, dtype: torch.dtype, tokens: int = 0) -> Batches:
    """STEPS batches of [G, N, …] that a net can learn from, with classes [G, N]."""
    generator = torch.Generator().manual_seed(7)
    made: Batches = []
    for _ in range(STEPS):
        targets = torch.randint(classes, (groups, SAMPLES), generator=generator)
        if tokens:
            inputs = torch.randint(1, tokens, (groups, SAMPLES, *shape), generator=generator)
            inputs[:, ::3, -2:] = 0
            inputs[:, :, 0] = targets + 1
        else:
            inputs = torch.randn(groups, SAMPLES, *shape, generator=generator, dtype=torch.float64).to(dtype)
            inputs = inputs + targets.view(groups, SAMPLES, *[1] * len(shape)) * 0.3
        made.append((inputs, targets))
    return made


def train_alone(net: nn.Module, recipe: Recipe, batches: Batches, group: int) -> tuple[dict[str, Tensor], list[float]]:
    """The weights after all batches (the averaged ones, where the recipe asks for them), and every loss."""
    net = copy.deepcopy(net).train()
    loss = build_loss(recipe.loss.name, recipe.loss)
    step = ModuleEngine(net, loss, build_optimiser(recipe.optim, net), Schedule(recipe.schedule, HORIZON), recipe, CPU)
    losses: list[float] = []

    def own(epoch: int, start: int) -> list[tuple[Tensor, Tensor]]:
        return [(inputs[group], targets[group]) for inputs, targets in batches]

    def note(event: Event) -> None:
        if isinstance(event, StepDone):
            losses.append(float(event.loss))

    few = FewSteps(len(batches))
    with preserved_randomness():
        train(step, own, unscored, few, [note, few])
    return {name: tensor.detach() for name, tensor in step.scored_net.state_dict().items()}, losses


def make_stack(
    nets: Sequence[nn.Module], recipes: Sequence[Recipe], batches: Batches, group_of: Sequence[int]
) -> StackedStep:
    nets = [copy.deepcopy(net) for net in nets]
    way = find_way(nets[0], batches[0][0][0])
    assert way is not None
    return StackedStep(nets, recipes, HORIZON, CPU, group_of=group_of, way=way)


@torch.no_grad()
def run_stack(step: StackedStep, batches: Batches, start: int = 0) -> Tensor:
    """Train on the batches; the losses [S, K]."""
    losses: list[Tensor] = []

    def note(event: StackEvent) -> None:
        if isinstance(event, StepDone):
            losses.append(event.loss.clone())

    few = FewSteps(len(batches))
    few.step = start
    left = [Batch(samples, step.layout.spread(classes)) for samples, classes in batches[start:]]
    train(step, lambda *_: left, unscored, few, [note, few])
    return torch.stack(losses)


def greatest_difference(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """The largest difference of any weight, relative to the largest weight of its tensor."""
    assert found.keys() == wanted.keys()
    return max(
        (float((found[name].double() - tensor.double()).abs().max() / tensor.double().abs().max().clamp(min=1e-3)))
        for name, tensor in wanted.items()
        if tensor.numel()
    )


def check_members(
    make: Callable[[int], nn.Module],
    recipes: Sequence[Recipe],
    shape: Sequence[int],
    *,
    classes: int = 4,
    group_of: Sequence[int] = (0, 0, 1, 1),
    dtype: torch.dtype = torch.float64,
    tokens: int = 0,
) -> StackedStep:
    """Every member of a stack ends with the weights and the losses of the same recipe trained alone."""
    precision = {torch.float64: 1e-12, torch.float32: 1e-5}[dtype]
    kind = {torch.float64: "float64", torch.float32: "float32"}[dtype]
    recipes = [replace(entry, train=replace(entry.train, precision=kind)) for entry in recipes]
    nets = twins(make, len(recipes), dtype)
    given = batches(shape, classes, group_of[-1] + 1, dtype, tokens)
    step = make_stack(nets, recipes, given, group_of)
    losses = run_stack(step, given)
    with step.scored():
        states = [step.member(member) for member in range(len(recipes))]
    for member, (net, entry) in enumerate(zip(nets, recipes, strict=True)):
        weights, alone = train_alone(net, entry, given, group_of[member])
        start = {name: tensor.detach() for name, tensor in net.state_dict().items()}
        assert greatest_difference(weights, start) > 1e-3, "the member has learnt nothing"
        difference = greatest_difference(states[member], weights)
        assert difference < precision, f"member {member}: {difference}"
        torch.testing.assert_close(losses[:, member].double(), torch.tensor(alone).double(), rtol=1e-4, atol=1e-6)
    return step
