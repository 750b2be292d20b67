"""The loop against the loop a person would write by hand, and its promises to listeners."""

import copy
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import nn

from danlu.base.events import EpochDone, Event, StepDone, Stop, TrainingStarted
from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, ScheduleRecipe, TrainRecipe
from danlu.train.engine import Batch
from danlu.train.loop import train
from danlu.train.losses import build_loss
from danlu.train.module_engine import ClosureEngine, ModuleEngine
from danlu.train.optimisers import build_optimiser, resolve_optim
from danlu.train.progress import Progress
from danlu.train.schedules import Horizon, Schedule

CPU = torch.device("cpu")
SAMPLES, BATCH = 50, 16
STEPS = -(-SAMPLES // BATCH)


def problem() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    inputs = torch.randn(SAMPLES, 6, generator=generator)
    return inputs, (inputs[:, :3].sum(1, keepdim=True) + 0.5 * inputs[:, :1] ** 2)


def small_net() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))


def batches_of(size: int = BATCH):
    inputs, targets = problem()

    def batches(epoch: int, start: int) -> Iterator[Batch]:
        for first in range(start * size, SAMPLES, size):
            yield inputs[first : first + size], targets[first : first + size]

    return batches


def make(recipe: Recipe, net: nn.Module, steps: int = STEPS) -> ModuleEngine:
    recipe = replace(recipe, optim=resolve_optim(recipe.optim))
    kind = ClosureEngine if recipe.optim.name == "lbfgs" else ModuleEngine
    schedule = Schedule(recipe.schedule, Horizon(recipe.train.epochs, steps))
    loss = build_loss("mse", recipe.loss)
    optimizer = build_optimiser(recipe.optim, net, scaled=recipe.train.precision == "float16")
    return kind(net, loss, optimizer, schedule, recipe, CPU)


def run(recipe: Recipe, net: nn.Module, size: int = BATCH, listeners: tuple = ()) -> Progress:
    steps = -(-SAMPLES // size)
    progress = Progress(epochs=recipe.train.epochs, steps_per_epoch=steps)
    train(make(recipe, net, steps), batches_of(size), lambda: None, progress, listeners)
    return progress


def weights(net: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


def by_hand(net: nn.Module, optimizer: torch.optim.Optimizer, epochs: int, clip: float | None = None) -> list[float]:
    losses: list[float] = []
    for _ in range(epochs):
        for inputs, targets in batches_of()(0, 0):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(net(inputs), targets)
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(net.parameters(), clip)
            optimizer.step()
            losses.append(loss.item())
    return losses


@pytest.mark.parametrize("clip", [None, 0.3])
def test_equals_the_loop_written_by_hand(clip: float | None) -> None:
    recipe = Recipe(
        optim=OptimRecipe(lr=0.05, momentum=0.9, weight_decay=0.01),
        train=TrainRecipe(epochs=4, batch_size=BATCH, clip_norm=clip),
    )
    ours, theirs = small_net(), small_net()
    seen: list[Event] = []
    run(recipe, ours, listeners=(seen.append,))
    reference = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, weight_decay=0.01, fused=True)
    losses = by_hand(theirs, reference, 4, clip)
    assert torch.equal(weights(ours), weights(theirs))
    assert [event.loss.item() for event in seen if isinstance(event, StepDone)] == losses


def test_events_come_in_order_with_counts_from_one() -> None:
    seen: list[Event] = []
    run(Recipe(train=TrainRecipe(epochs=2, batch_size=BATCH)), small_net(), listeners=(seen.append,))
    kinds = [type(event) for event in seen]
    assert kinds == [TrainingStarted] + ([StepDone] * STEPS + [EpochDone]) * 2
    steps = [event for event in seen if isinstance(event, StepDone)]
    assert [event.step for event in steps] == list(range(1, 2 * STEPS + 1))
    assert [event.samples for event in steps[:STEPS]] == [16, 16, 16, 2]
    epochs = [event for event in seen if isinstance(event, EpochDone)]
    expected = sum(event.loss.item() * event.samples for event in steps[:STEPS]) / SAMPLES
    assert epochs[0].train["loss"] == pytest.approx(expected, rel=1e-12)


def test_a_listener_stops_the_loop_and_it_goes_on_from_there_bit_for_bit() -> None:
    recipe = Recipe(optim=OptimRecipe(name="adam", lr=0.01), train=TrainRecipe(epochs=3, batch_size=BATCH))
    whole, broken = small_net(), small_net()
    run(recipe, whole)
    progress = Progress(epochs=3, steps_per_epoch=STEPS)
    step = make(recipe, broken)

    def stop_at_six(event: Event) -> Stop | None:
        return Stop("interrupted") if isinstance(event, StepDone) and event.step == 6 else None

    assert train(step, batches_of(), lambda: None, progress, [stop_at_six]) == Stop("interrupted")
    assert (progress.step, progress.epoch, progress.batch) == (6, 1, 2)
    assert train(step, batches_of(), lambda: None, progress, []) is None
    assert torch.equal(weights(whole), weights(broken))


def test_accumulated_gradients_equal_one_large_batch() -> None:
    def trained(batch_size: int, accumulate: int, reduction: str) -> torch.Tensor:
        recipe = Recipe(
            loss=LossRecipe(reduction=reduction),
            optim=OptimRecipe(lr=0.01),
            train=TrainRecipe(epochs=2, batch_size=batch_size, accumulate=accumulate, precision="float64"),
        )
        net = small_net().double()
        inputs, targets = (tensor.double() for tensor in problem())
        step = make(recipe, net, 1)
        progress = Progress(epochs=2, steps_per_epoch=1)
        train(step, lambda epoch, start: [(inputs, targets)][start:], lambda: None, progress, [])
        return weights(net)

    for reduction in ("mean", "sum"):
        # 50 samples in parts of 16: the last part has 2, which an average of averages would weigh eight times too much.
        torch.testing.assert_close(trained(16, 4, reduction), trained(64, 1, reduction), rtol=1e-12, atol=1e-14)


def test_averaged_weights_follow_the_formula() -> None:
    recipe = Recipe(optim=OptimRecipe(lr=0.05), train=TrainRecipe(epochs=1, batch_size=BATCH, ema=0.8))
    net = small_net()
    step = make(recipe, net)
    seen: list[torch.Tensor] = []

    def remember(event: Event) -> None:
        if isinstance(event, StepDone):
            seen.append(weights(net).clone())

    train(step, batches_of(), lambda: None, Progress(epochs=1, steps_per_epoch=STEPS), [remember])
    expected = seen[0]
    for now in seen[1:]:
        expected = 0.8 * expected + 0.2 * now
    torch.testing.assert_close(weights(step.scored_net), expected)
    assert not torch.allclose(weights(step.scored_net), weights(net))


def test_averaging_keeps_batch_norm_counters_whole() -> None:
    net = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    recipe = Recipe(train=TrainRecipe(epochs=2, batch_size=25, ema=0.5))
    step = make(recipe, net, 2)
    train(step, batches_of(25), lambda: None, Progress(epochs=2, steps_per_epoch=2), [])
    averaged = step.scored_net.state_dict()
    assert averaged["1.num_batches_tracked"].dtype == torch.int64
    assert not torch.allclose(averaged["1.running_mean"], net.state_dict()["1.running_mean"])


def test_lbfgs_equals_torchs_own_and_reaches_the_least_squares() -> None:
    inputs, targets = problem()
    recipe = Recipe(
        optim=OptimRecipe(name="lbfgs", tolerance_grad=1e-13, tolerance_change=1e-16),
        train=TrainRecipe(epochs=8, batch_size=SAMPLES, precision="float64"),
    )
    ours, theirs = nn.Linear(6, 1).double(), nn.Linear(6, 1).double()
    theirs.load_state_dict(ours.state_dict())
    inputs, targets = inputs.double(), targets.double()
    step = make(recipe, ours, 1)
    progress = Progress(epochs=8, steps_per_epoch=1)
    train(step, lambda epoch, start: [(inputs, targets)][start:], lambda: None, progress, [])
    tolerances = {"tolerance_grad": 1e-13, "tolerance_change": 1e-16}
    optimizer = torch.optim.LBFGS(theirs.parameters(), lr=1, line_search_fn="strong_wolfe", **tolerances)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(theirs(inputs), targets)
        loss.backward()
        return loss

    for _ in range(8):
        optimizer.step(closure)
    torch.testing.assert_close(weights(ours), weights(theirs), rtol=1e-12, atol=1e-12)
    design = torch.cat([inputs, torch.ones(SAMPLES, 1)], 1)
    exact = torch.linalg.lstsq(design, targets).solution.flatten()
    torch.testing.assert_close(weights(ours), exact, rtol=1e-6, atol=1e-8)


def test_dropout_is_a_function_of_seed_and_step() -> None:
    class Noisy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = small_net()

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return nn.functional.dropout(self.inner(inputs), 0.5, self.training)

    def trained(seed: int) -> torch.Tensor:
        net = Noisy()
        run(Recipe(train=TrainRecipe(epochs=1, batch_size=BATCH, seed=seed)), net)
        return weights(net)

    first = trained(1)
    torch.rand(17)  # whatever the user draws in between does not matter
    assert torch.equal(first, trained(1))
    assert not torch.equal(first, trained(2))


def test_the_rate_follows_the_schedule() -> None:
    seen: list[float] = []
    recipe = Recipe(
        optim=OptimRecipe(lr=0.1),
        schedule=ScheduleRecipe(name="step", every=1, gamma=0.5, warmup=2),
        train=TrainRecipe(epochs=2, batch_size=BATCH),
    )
    run(recipe, small_net(), listeners=(lambda e: seen.append(e.lr) if isinstance(e, StepDone) else None,))
    assert seen == pytest.approx([0.05, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision_learns_and_keeps_float32_weights(precision: str) -> None:
    recipe = Recipe(optim=OptimRecipe(lr=0.05), train=TrainRecipe(epochs=20, batch_size=BATCH, precision=precision))
    net = small_net()
    losses: list[float] = []
    run(recipe, net, listeners=(lambda e: losses.append(e.loss.item()) if isinstance(e, StepDone) else None,))
    assert losses[-2] < 0.2 * losses[0]
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}
    exact = small_net()
    run(replace(recipe, train=replace(recipe.train, precision="float32")), exact)
    assert not torch.equal(weights(net), weights(exact))


def test_clipping_by_value_bounds_every_entry() -> None:
    recipe = Recipe(
        optim=OptimRecipe(lr=1.0, momentum=0.0), train=TrainRecipe(epochs=1, batch_size=64, clip_value=1e-3)
    )
    net = small_net()
    before = weights(net).clone()
    run(recipe, net, size=64)
    moved = (weights(net) - before).abs()
    assert moved.max() == pytest.approx(1e-3, rel=1e-3)


def test_early_stopping_ends_after_patience_and_remembers_the_best() -> None:
    scores = iter([{"loss": 1.0}, {"loss": 0.5}, {"loss": float("nan")}, {"loss": 0.6}, {"loss": 0.1}])
    recipe = Recipe(train=TrainRecipe(epochs=9, batch_size=BATCH))
    progress = Progress(epochs=9, steps_per_epoch=STEPS, patience=2)
    seen: list[bool] = []
    stop = train(
        make(recipe, small_net()),
        batches_of(),
        lambda: next(scores),
        progress,
        [lambda e: seen.append(e.best) if isinstance(e, EpochDone) else None],
    )
    assert stop == Stop("early")
    assert (progress.epoch, progress.best_epoch, progress.best_score) == (4, 2, {"loss": 0.5})
    assert seen == [True, True, False, False]


def test_a_training_whose_patience_is_over_does_not_go_on() -> None:
    net = small_net()
    progress = Progress(epochs=9, steps_per_epoch=STEPS, patience=2)
    progress.epoch, progress.best_epoch = 4, 2
    before = weights(net).clone()
    recipe = Recipe(train=TrainRecipe(epochs=9, batch_size=BATCH))
    assert train(make(recipe, net), batches_of(), lambda: None, progress, []) == Stop("early")
    assert torch.equal(before, weights(net))


def test_breaking_off_in_validation_leaves_the_epoch_open() -> None:
    recipe = Recipe(train=TrainRecipe(epochs=1, batch_size=BATCH))
    progress = Progress(epochs=1, steps_per_epoch=STEPS)
    step = make(recipe, small_net())
    answers = iter([Stop("interrupted"), {"loss": 0.5}])
    assert train(step, batches_of(), lambda: next(answers), progress, []) == Stop("interrupted")
    assert (progress.epoch, progress.batch) == (0, STEPS)
    before = copy.deepcopy(weights(step.net))
    assert train(step, batches_of(), lambda: next(answers), progress, []) is None
    assert progress.epoch == 1
    assert torch.equal(before, weights(step.net))
