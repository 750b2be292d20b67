"""Around loops and nets of every kind: what is healthy is left in peace, and a planted fault is found all the same."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import danlu
from loops import batches, loud, net, train


class Shared(nn.Module):
    """One layer called three times, one after another."""

    def __init__(self, *last: nn.Module) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.into, self.again, self.out = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 3)
        self.last = nn.Sequential(*last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.into(x))
        for _ in range(3):
            hidden = hidden + torch.relu(self.again(hidden))
        return self.last(self.out(hidden))


class Answer(NamedTuple):
    """What some models give."""

    logits: torch.Tensor
    hidden: torch.Tensor


class Giving(nn.Module):
    """A net that gives more than its logits."""

    def __init__(self, kind: str, *last: nn.Module) -> None:
        super().__init__()
        self.kind, self.inner = kind, net(*last)

    def forward(self, x: torch.Tensor) -> Any:
        logits = self.inner(x)
        if self.kind == "dict":
            return {"logits": logits, "inputs": x}
        return (logits, x) if self.kind == "tuple" else Answer(logits, x)


def by_name(output: Any) -> torch.Tensor:
    return output["logits"]


def first(output: Any) -> torch.Tensor:
    return output[0]


def compiled(*last: nn.Module) -> nn.Module:
    """Compiled without a compiler: the graph is captured, and runs as it is."""
    return torch.compile(net(*last), backend="aot_eager")  # type: ignore[return-value]


def compiled_in_place(*last: nn.Module) -> nn.Module:
    model = net(*last)
    model.compile(backend="aot_eager")
    return model


KINDS: dict[str, tuple[Callable[..., nn.Module], Callable[[Any], torch.Tensor]]] = {
    "plain": (net, lambda output: output),
    "shared": (Shared, lambda output: output),
    "dict": (lambda *last: Giving("dict", *last), by_name),
    "tuple": (lambda *last: Giving("tuple", *last), first),
    "named": (lambda *last: Giving("named", *last), first),
    "compiled": (compiled, lambda output: output),
    "compiled in place": (compiled_in_place, lambda output: output),
}


@pytest.mark.every(2)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own compiler
@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_net_is_left_in_peace(kind: str) -> None:
    build, answer = KINDS[kind]
    model = build()
    with danlu.watch(model, shown=False) as watch:
        train(model, answer=answer)
    assert loud(watch) == []
    assert watch.measured.step == watch.measured.loss.count == 60


@pytest.mark.every(2)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if "compiled" not in kind])
def test_a_softmax_too_many_is_found_first(kind: str) -> None:
    build, answer = KINDS[kind]
    model = build(nn.Softmax(dim=1))
    with danlu.watch(model, shown=False) as watch:
        train(model, answer=answer)
    assert loud(watch)[0] == "softmax-twice"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_gradients_never_cleared_are_found_in_a_compiled_net() -> None:
    model = compiled()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with danlu.watch(model, optimizer, shown=False) as watch:
        for x, y in batches(30):
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    assert "gradients-accumulate" in loud(watch)


@pytest.mark.parametrize("last", [(), (nn.Softmax(dim=1),)])
def test_mixed_precision(last: tuple[nn.Module, ...]) -> None:
    model = net(*last)
    optimizer, scaler = torch.optim.SGD(model.parameters(), lr=0.1), torch.amp.GradScaler("cpu")
    with danlu.watch(model, optimizer, shown=False) as watch:
        for x, y in batches(60):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = F.cross_entropy(model(x), y)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            scaler.step(optimizer)
            scaler.update()
    assert loud(watch)[:1] == (["softmax-twice"] if last else [])
    assert watch.measured.loss.first < 2  # the loss as it is, not as it was scaled


def test_a_loop_without_an_optimiser_has_steps_too() -> None:
    model = net()
    with danlu.watch(model, shown=False) as watch:
        for x, y in batches(60):
            F.cross_entropy(model(x), y).backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    assert parameter.grad is not None
                    parameter.sub_(0.1 * parameter.grad)
                    parameter.grad = None
    assert loud(watch) == []
    assert watch.measured.loss.count == 60


def test_backward_without_a_step_is_found() -> None:
    model = net()
    with danlu.watch(model, shown=False) as watch:
        for x, y in batches(60):
            model.zero_grad()
            F.cross_entropy(model(x), y).backward()
    assert loud(watch) == ["no-update"]


@pytest.mark.parametrize("turns", ["together", "one after the other"])
def test_two_optimisers(turns: str) -> None:
    model = net()
    halves = [torch.optim.SGD(model[0].parameters(), lr=0.1), torch.optim.Adam(model[2].parameters(), lr=0.01)]
    with danlu.watch(model, halves, shown=False) as watch:
        for step, (x, y) in enumerate(batches(80)):
            model.zero_grad()
            F.cross_entropy(model(x), y).backward()
            for optimizer in halves if turns == "together" else [halves[step >= 40]]:
                optimizer.step()
    assert loud(watch) == []
    assert 79 <= watch.measured.step <= 80


def test_gradients_gathered_on_purpose_are_no_fault() -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with danlu.watch(model, optimizer, shown=False) as watch:
        for number, (x, y) in enumerate(batches(160), 1):
            (F.cross_entropy(model(x), y) / 4).backward()
            if number % 4 == 0:
                optimizer.step()
                optimizer.zero_grad()
    assert loud(watch) == []
    assert watch.measured.step == 40


def test_an_adversarial_pair_is_left_in_peace() -> None:
    torch.manual_seed(0)
    generator, critic = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 8)), net()
    ours, theirs = (torch.optim.Adam(one.parameters(), lr=1e-3) for one in (generator, critic))
    with danlu.watch([generator, critic], [ours, theirs], shown=False) as watch:
        for x, _ in batches(100):
            made = generator(torch.randn(len(x), 4))
            theirs.zero_grad()
            real, fake = critic(x)[:, 0], critic(made.detach())[:, 0]
            (F.softplus(-real) + F.softplus(fake)).mean().backward()
            theirs.step()
            ours.zero_grad()
            F.softplus(-critic(made)[:, 0]).mean().backward()
            ours.step()
    assert loud(watch) == []


def test_layers_are_measured_on_schedule_to_the_end() -> None:
    model = net()
    with danlu.watch(model, shown=False) as watch:
        train(model, steps=420)
    (layer, *_) = watch.measured.layers.values()
    assert {100, 200, 300, 400} <= set(layer.gradient.steps)


SWITCHES: dict[str, Callable[[nn.Module], Any]] = {
    "no_grad": lambda model: torch.no_grad(),
    "inference_mode": lambda model: torch.inference_mode(),
    "set_grad_enabled": lambda model: torch.set_grad_enabled(False),
    "eval": lambda model: model.eval(),
}


@pytest.mark.every(4)
@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("switch", SWITCHES)
def test_an_evaluation_between_ordinary_steps_is_heard(switch: str, clipped: bool) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with danlu.watch(model, optimizer, shown=False) as watch:
        for step, (x, y) in enumerate(batches(300), 1):
            model.train()
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            if clipped:
                nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            if step in (250, 277):
                block = SWITCHES[switch](model)
                with block if switch != "eval" else torch.enable_grad():
                    for held_out, answers in batches(3, size=16):
                        F.cross_entropy(model(held_out), answers)
    passes = watch.measured.evaluations
    assert [(one.step, one.batches, one.samples) for one in passes] == [(251, 3, 48), (278, 3, 48)]
    assert watch.measured.step == 300


def test_a_closure_that_is_called_many_times_is_one_step() -> None:
    model = net()
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=8)
    with danlu.watch(model, optimizer, shown=False) as watch:
        for x, y in batches(6):

            def closure(x: torch.Tensor = x, y: torch.Tensor = y) -> torch.Tensor:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x), y)
                loss.backward()
                return loss

            optimizer.step(closure)
    assert watch.measured.step == watch.measured.optimisers[0].steps == 6
    assert watch.measured.backwards > 12


class Around(torch.optim.Optimizer):
    """An optimiser around another one, of whose own steps torch does not know."""

    def __init__(self, inner: torch.optim.Optimizer) -> None:
        self.optimizer = inner
        self.param_groups, self.state, self.defaults = inner.param_groups, inner.state, inner.defaults

    def step(self, closure: Any = None) -> Any:
        return self.optimizer.step(closure)

    def zero_grad(self, set_to_none: bool = True) -> None:
        self.optimizer.zero_grad(set_to_none)


class KnownAround(torch.optim.Optimizer):
    """An optimiser around another one, whose own steps are steps to torch too."""

    def __init__(self, inner: torch.optim.Optimizer) -> None:
        super().__init__(inner.param_groups, inner.defaults)
        self.base_optimizer = inner
        self.param_groups, self.state = inner.param_groups, inner.state

    def step(self, closure: Any = None) -> Any:
        return self.base_optimizer.step(closure)


@pytest.mark.every(2)
@pytest.mark.parametrize("around", [Around, KnownAround])
@pytest.mark.parametrize("given", ["none", "inner", "outer"])
def test_an_optimiser_around_another_is_one(given: str, around: type[Any]) -> None:
    model = net()
    inner = torch.optim.AdamW(model.parameters(), lr=0.01)
    outer = around(inner)
    with danlu.watch(model, {"none": None, "inner": inner, "outer": outer}[given], shown=False) as watch:
        scheduler = torch.optim.lr_scheduler.LambdaLR(outer, lambda step: 1 - step / 600)
        for x, y in batches(300):
            outer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            outer.step()
            scheduler.step()
    assert [(one.kind, one.steps) for one in watch.measured.optimisers] == [("AdamW", 300)]
    assert watch.measured.step == 300
    assert loud(watch) == []


@pytest.mark.parametrize("kept", [True, False])
def test_the_optimiser_of_a_copy(kept: bool) -> None:
    """It moves nothing of this net; where somebody copies its weights back, the net learns all the same."""
    model = net()
    copied = net()
    optimizer = torch.optim.SGD(copied.parameters(), lr=0.1)
    with danlu.watch(model, shown=False) as watch:
        for x, y in batches(100):
            model.zero_grad()
            F.cross_entropy(model(x), y).backward()
            for one, other in zip(model.parameters(), copied.parameters(), strict=True):
                other.grad = one.grad
            optimizer.step()
            if kept:
                model.load_state_dict(copied.state_dict())
    assert loud(watch) == ([] if kept else ["no-update"])
    if kept:
        assert watch.measured.step == 100
    else:
        assert "100 steps changed none" in watch.findings[0].title
