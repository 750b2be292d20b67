"""A batch that memory does not hold is computed in portions, and comes to the same: by every loss, on every device
that says so, in the first step or in one in the middle.
"""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from danlu.base.ignored import IGNORED
from danlu.base.recipe import Recipe
from danlu.train.fitting import FittingEngine, MicroBatch
from danlu.train.loop import train
from danlu.train.losses import build_loss
from danlu.train.module_engine import ModuleEngine
from danlu.train.optimisers import build_optimiser
from danlu.train.progress import FewSteps, unscored
from danlu.train.sample_weights import SampleWeighted
from danlu.train.schedules import Horizon, Schedule

CPU = torch.device("cpu")
STEPS, BATCH = 6, 12
STREAM = torch.Generator().manual_seed(1)


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=STREAM, dtype=torch.float64)


def classes(*shape: int) -> Tensor:
    return torch.randint(0, 3, shape, generator=STREAM)


COUNT = STEPS * BATCH - 5  # the last batch is smaller, and divides by no number of portions
X, WORDS, PIXELS = random(COUNT, 6), random(COUNT, 4, 6), random(COUNT, 6, 3, 3)
SOME = classes(COUNT, 4).where(random(COUNT, 4) > 0.5, IGNORED)
SOME[:3] = IGNORED  # a portion without a target
CLASSES, LABELS, NUMBERS = classes(COUNT), (random(COUNT, 3) > 0).double(), random(COUNT, 3)
WEIGHTS = random(COUNT, 1).abs()
FEW = classes(COUNT, 3, 3).where(random(COUNT, 3, 3) > 0.5, IGNORED)
FEW[:2] = IGNORED


class Conv(nn.Module):
    """Outputs for each pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(6, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


def mlp(outputs: int = 3) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, outputs))


class Mixture(nn.Module):
    """Two Gaussians for each sample."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 2 * 7)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x).view(len(x), 2, 7)


Case = tuple[Callable[[], nn.Module], Tensor, Tensor, dict[str, Any]]
CASES: dict[str, Case] = {
    "cross-entropy": (mlp, X, CLASSES, {"name": "cross-entropy"}),
    "smoothed": (mlp, X, CLASSES, {"name": "cross-entropy", "label_smoothing": 0.1}),
    "class weights": (mlp, X, CLASSES, {"name": "cross-entropy", "class_weights": (1.0, 5.0, 0.2)}),
    "weights, smoothed": (
        mlp, X, CLASSES, {"name": "cross-entropy", "class_weights": (1.0, 5.0, 0.2), "label_smoothing": 0.1},
    ),
    "nll": (lambda: nn.Sequential(mlp(), nn.LogSoftmax(-1)), X, CLASSES, {"name": "nll"}),
    "focal": (mlp, X, CLASSES, {"name": "focal"}),
    "focal, weights": (mlp, X, CLASSES, {"name": "focal", "class_weights": (1.0, 5.0, 0.2)}),
    "tokens": (mlp, WORDS, SOME, {"name": "cross-entropy"}),
    "tokens, weights": (mlp, WORDS, SOME, {"name": "cross-entropy", "class_weights": (1.0, 5.0, 0.2)}),
    "tokens, focal": (mlp, WORDS, SOME, {"name": "focal", "class_weights": (1.0, 5.0, 0.2)}),
    "tokens, nll": (lambda: nn.Sequential(mlp(), nn.LogSoftmax(-1)), WORDS, SOME, {"name": "nll"}),
    "pixels": (Conv, PIXELS, FEW, {"name": "cross-entropy"}),
    "pixels, weights": (Conv, PIXELS, FEW, {"name": "cross-entropy", "class_weights": (1.0, 5.0, 0.2)}),
    "two classes": (lambda: mlp(1), X, CLASSES.clamp(max=1), {"name": "bce", "class_weights": (1.0, 5.0)}),
    "labels": (mlp, X, LABELS, {"name": "bce", "pos_weight": (1.0, 5.0, 0.2)}),
    "mse": (mlp, X, NUMBERS, {"name": "mse"}),
    "l1": (mlp, X, NUMBERS, {"name": "l1"}),
    "huber": (mlp, X, NUMBERS, {"name": "huber", "delta": 0.5}),
    "mixture": (Mixture, X, NUMBERS, {"name": "mixture-nll"}),
    "sum": (mlp, X, NUMBERS, {"name": "mse", "reduction": "sum"}),
    "sample weights": (mlp, X, torch.cat([WEIGHTS, NUMBERS], 1), {"name": "mse"}),
    "sample and class weights": (
        mlp, X, torch.cat([WEIGHTS, CLASSES[:, None]], 1), {"name": "cross-entropy", "class_weights": (1.0, 5.0, 0.2)},
    ),
}  # fmt: skip


class Memory(nn.Module):
    """Calls `net`, with a memory that holds the `most` samples, which shrinks `at` a call; or fails on the way back."""

    def __init__(self, net: nn.Module, most: int, at: int = 0, then: int = 0, *, back: bool = False) -> None:
        super().__init__()
        self.net = net
        self.most, self.at, self.then, self.back = most, at, then, back
        self.calls = 0
        self.sizes: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.calls += 1
            if self.calls == self.at:
                self.most = self.then
            if len(x) > self.most:
                if not self.back:
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB.")
                x = x + _FailsBack.apply(self.net[0].weight.sum() * 0)
            else:
                self.sizes.append(len(x))
        return self.net(x)


class _FailsBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.50 GiB.")


def engine_of(net: nn.Module, recipe: Recipe, *, weighted: bool = False) -> ModuleEngine:
    loss = SampleWeighted(recipe.loss) if weighted else build_loss(recipe.loss.name, recipe.loss)
    optimizer = build_optimiser(recipe.optim, net)
    kind = FittingEngine if recipe.train.fit_memory else ModuleEngine
    return kind(net, loss, optimizer, Schedule(recipe.schedule, Horizon(1, STEPS)), recipe, CPU)


def trained(
    engine: ModuleEngine, x: Tensor, y: Tensor, steps: int = STEPS, start: int = 0
) -> tuple[dict[str, Tensor], list[float]]:
    """The weights, and the losses of the steps."""
    losses: list[float] = []

    def batches(epoch: int, _: int) -> Iterator[tuple[Tensor, Tensor]]:
        yield from list(zip(x.split(BATCH), y.split(BATCH), strict=True))[start:]

    def hear(event: Any) -> None:
        if hasattr(event, "loss"):
            losses.append(float(event.loss))

    few = FewSteps(steps)
    few.step = start
    if isinstance(engine, FittingEngine) and not engine.course:
        engine.find((x[:BATCH], y[:BATCH]))
    with engine:
        train(engine, batches, unscored, few, [hear, few])
    return {name: one.clone() for name, one in engine.net.state_dict().items()}, losses


def recipe_of(loss: dict[str, Any], **settings: Any) -> Recipe:
    optim = {"name": "sgd", "lr": 0.05, "momentum": 0.9}
    return Recipe(loss=loss, optim=optim, train={"batch_size": BATCH, "precision": "float64", **settings})


def made(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return build().double()


WAYS: dict[str, tuple[dict[str, Any], int]] = {
    "accumulated": ({"batch_size": 4, "accumulate": 3}, BATCH),
    "in portions": ({"fit_memory": True}, 5),
    "one by one": ({"fit_memory": True, "clip_norm": 0.1}, 1),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_the_parts_add_up_to_the_whole(case: str, way: str) -> None:
    build, x, y, loss = CASES[case]
    settings, most = WAYS[way]
    weighted = case.startswith("sample")
    whole = recipe_of(loss, clip_norm=settings.get("clip_norm"))
    one, losses = trained(engine_of(made(build), whole, weighted=weighted), x, y)
    net = Memory(made(build), most)
    engine = engine_of(net, recipe_of(loss, **settings), weighted=weighted)
    other, heard = trained(engine, x, y)
    assert set(net.sizes[-3:]) <= {1, 2, 3, 4}  # those of the last batch, of seven
    assert heard == pytest.approx(losses, rel=1e-12)
    for name, tensor in one.items():
        torch.testing.assert_close(other[f"net.{name}"], tensor, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("most", "found"), [(12, 12), (11, 6), (6, 6), (5, 4), (4, 4), (3, 3), (2, 2), (1, 1)])
@pytest.mark.parametrize("back", [False, True])
def test_the_largest_even_portion_is_found(most: int, found: int, back: bool) -> None:
    net = Memory(made(mlp), most, back=back)
    engine = engine_of(net, recipe_of({"name": "cross-entropy"}, fit_memory=True))
    assert isinstance(engine, FittingEngine)
    trained(engine, X, CLASSES)
    assert engine.course == [MicroBatch(0, found, ran_out=False)]
    assert max(net.sizes[-6:]) == found


def test_a_recipe_s_own_portions_are_the_largest() -> None:
    net = Memory(made(mlp), 12)
    trained(
        engine_of(net, recipe_of({"name": "cross-entropy"}, fit_memory=True, batch_size=4, accumulate=3)), X, CLASSES
    )
    assert max(net.sizes) == 4


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("then", [5, 2])
def test_a_step_that_memory_ends_is_done_over(then: int, back: bool) -> None:
    recipe = recipe_of({"name": "cross-entropy"}, fit_memory=True, clip_norm=0.1)
    whole, losses = trained(engine_of(made(mlp), recipe_of({"name": "cross-entropy"}, clip_norm=0.1)), X, CLASSES)
    net = Memory(made(mlp), 6, at=9, then=then, back=back)  # the second half of the third batch
    engine = engine_of(net, recipe)
    assert isinstance(engine, FittingEngine)
    weights, heard = trained(engine, X, CLASSES)
    halved = {5: [MicroBatch(2, 3, ran_out=True)], 2: [MicroBatch(2, 2, ran_out=True)]}[then]
    assert engine.course == [MicroBatch(0, 6, ran_out=False), *halved]
    assert heard == pytest.approx(losses, rel=1e-12)
    for name, tensor in whole.items():
        torch.testing.assert_close(weights[f"net.{name}"], tensor, rtol=1e-11, atol=1e-13)


def noisy() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))


class Drawing(nn.Module):
    """Draws from a generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 3)
        self.generator = torch.Generator().manual_seed(5)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x + torch.rand(x.shape, generator=self.generator, dtype=x.dtype))


@pytest.mark.parametrize("build", [noisy, lambda: nn.Sequential(Drawing())], ids=["dropout", "own generator"])
@pytest.mark.parametrize("at", [1, 2, 5, 8])
def test_what_was_done_over_leaves_no_trace(build: Callable[[], nn.Module], at: int) -> None:
    """By its course alone a training comes to the same bits: also its dropout, and the statistics of its norms."""
    recipe = recipe_of({"name": "cross-entropy"}, fit_memory=True)
    first = engine_of(Memory(made(build), 6, at=at, then=3), recipe)
    assert isinstance(first, FittingEngine)
    weights, losses = trained(first, X, CLASSES)
    again = engine_of(Memory(made(build), BATCH), recipe)
    assert isinstance(again, FittingEngine)
    for one in first.course:
        again.plan(one)
    other, heard = trained(again, X, CLASSES)
    assert heard == losses
    assert all(torch.equal(other[name], tensor) for name, tensor in weights.items())


def test_a_checkpoint_holds_the_portions() -> None:
    recipe = recipe_of({"name": "cross-entropy"}, fit_memory=True)
    weights, _ = trained(engine_of(Memory(made(noisy), 6, at=5, then=3), recipe), X, CLASSES)
    first = engine_of(Memory(made(noisy), 6, at=5, then=3), recipe)
    trained(first, X, CLASSES, steps=4)
    kept = copy.deepcopy((first.tensors(), first.state()))
    second = engine_of(Memory(made(noisy), BATCH), recipe)
    second.load_tensors(kept[0])
    second.load_state(kept[1])
    other, _ = trained(second, X, CLASSES, start=4)
    assert all(torch.equal(other[name], tensor) for name, tensor in weights.items())


def test_portions_planned_for_later_are_taken_then_unless_they_are_smaller_by_then() -> None:
    engine = engine_of(mlp().double(), recipe_of({"name": "cross-entropy"}, fit_memory=True))
    assert isinstance(engine, FittingEngine)
    for one in (MicroBatch(0, 8, False), MicroBatch(50, 4, True), MicroBatch(70, 2, True), MicroBatch(30, 4, True)):
        engine.plan(one)
    assert engine.course == [MicroBatch(0, 8, False), MicroBatch(30, 4, True), MicroBatch(70, 2, True)]


def test_no_portion_is_smaller_than_the_least() -> None:
    net = Memory(made(noisy), 2)
    recipe = recipe_of({"name": "cross-entropy"}, fit_memory=True)
    optimizer, loss = build_optimiser(recipe.optim, net), build_loss("cross-entropy", recipe.loss)
    engine = FittingEngine(net, loss, optimizer, Schedule(recipe.schedule, Horizon(1, STEPS)), recipe, CPU, least=3)
    with pytest.raises(torch.OutOfMemoryError, match="out of memory"):
        trained(engine, X, CLASSES)
    net.most = 3
    trained(engine, X, CLASSES)
    assert set(net.sizes) == {3, 2}  # seven are three, two and two


@pytest.mark.parametrize("back", [False, True])
def test_where_not_even_one_sample_fits_the_error_comes(back: bool) -> None:
    engine = engine_of(Memory(made(mlp), 0, back=back), recipe_of({"name": "cross-entropy"}, fit_memory=True))
    with pytest.raises(RuntimeError, match=r"Tried to allocate 2\.50 GiB"):
        trained(engine, X, CLASSES)


def test_another_error_comes_as_it_is() -> None:
    engine = engine_of(nn.Linear(7, 3).double(), recipe_of({"name": "cross-entropy"}, fit_memory=True))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        trained(engine, X, CLASSES)


def test_what_a_pass_held_is_let_go_before_the_next() -> None:
    held: list[int] = []

    class Counting(Memory):
        alive = 0  # graphs of passes

        def forward(self, x: Tensor) -> Tensor:
            held.append(Counting.alive)
            return super().forward(_Alive.apply(x))

    class _Alive(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            ctx.token = Token()
            return x.clone()

        @staticmethod
        def backward(ctx: Any, *gradients: Tensor) -> Tensor:
            return gradients[0]

    class Token:
        def __init__(self) -> None:
            Counting.alive += 1

        def __del__(self) -> None:
            Counting.alive -= 1

    engine = engine_of(Counting(made(mlp), 3, back=True), recipe_of({"name": "cross-entropy"}, fit_memory=True))
    trained(engine, X.clone().requires_grad_(), CLASSES, steps=1)
    assert held[:3] == [0, 0, 0]  # passes on twelve, six and three samples are tried: nothing is left of any


@pytest.mark.parametrize("most", [BATCH, 5])
def test_scaled_gradients_are_summed_then_scaled_back_then_clipped(most: int) -> None:
    """The step of float16 has the length that clipping leaves, however large the scale and many the portions."""
    settings: dict[str, Any] = {"precision": "float16", "clip_norm": 0.01, "fit_memory": True, "batch_size": BATCH}
    recipe = Recipe(loss={"name": "cross-entropy"}, optim={"name": "sgd", "lr": 1.0, "momentum": 0.0}, train=settings)
    net = Memory(made(mlp).float(), most)
    before = {name: one.clone() for name, one in net.state_dict().items()}
    engine = engine_of(net, recipe)
    weights, _ = trained(engine, X.float(), CLASSES, steps=1)
    moved = torch.cat([(one - before[name]).flatten() for name, one in weights.items()]).norm()
    assert float(moved) == pytest.approx(0.01, rel=1e-3)
    assert engine.state()["scaler"]["scale"] > 1000
