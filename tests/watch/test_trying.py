"""What is tried is tried on a copy: the training goes on with the same bits, and whatever the net's code can reach by
itself is as it would be had nobody looked."""

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.utils.checkpoint import checkpoint

import danlu
from danlu.watch.trying import Copy, ModuleCall, UntriedError

STEPS = 60
VOCABULARY, PLACES = 12, 8

generator = torch.Generator()
numbers = numpy.random.default_rng(0)
own_random = random.Random(0)
log: list[float] = []
seen: dict[str, int] = {}


class Settings:
    """What a net may keep outside of itself."""

    def __init__(self) -> None:
        self.calls = 0
        self.history: list[int] = []


settings = Settings()


class Tokens(nn.Module):
    """A language model; `extra` is done in each forward pass."""

    def __init__(self, extra: Callable[["Tokens", torch.Tensor], Any] | None = None) -> None:
        super().__init__()
        self.embed, self.rnn = nn.Embedding(VOCABULARY, 16), nn.GRU(16, 16, batch_first=True)
        self.drop, self.head = nn.Dropout(0.3), nn.Linear(16, VOCABULARY)
        self.register_buffer("calls", torch.zeros(()))
        self.own = torch.Generator().manual_seed(3)
        self.history: list[float] = []
        self.extra = extra

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.extra is not None:
            self.extra(self, x)
        return self.head(self.drop(self.rnn(self.embed(x))[0]))


class Noisy(Tokens):
    """Draws from every generator that there is, also where it is evaluated."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        noise = torch.randn((), generator=generator) + torch.randn((), generator=self.own) + torch.randn(())
        return super().forward(x) + 0.01 * (noise + numbers.normal() + own_random.random() + random.random())


class Talking(Tokens):
    """Prints, counts and notes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        print("called")  # noqa: T201
        self.calls += 1
        self.history.append(float(x.float().mean()))
        log.append(float(x.float().mean()))
        seen["calls"] = seen.get("calls", 0) + 1
        settings.calls += 1
        settings.history.append(settings.calls)
        return super().forward(x)


class Drawn(nn.Module):
    """Two layers whose weights are computed, and a batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.first = weight_norm(nn.Linear(PLACES, 16))
        self.second = spectral_norm(nn.Linear(16, 16))
        self.norm, self.last = nn.BatchNorm1d(16), nn.Linear(16, PLACES * VOCABULARY)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.float()
        x -= 1  # in place: in what it was given, had that been of floating numbers
        hidden: Any = checkpoint(self.second, torch.relu(self.first(x)), use_reentrant=False)
        return self.last(self.norm(hidden)).view(len(x), PLACES, VOCABULARY)


class InPlace(nn.Module):
    """Writes into its input, and answers in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(PLACES, 16), nn.ReLU(), nn.Linear(16, PLACES * VOCABULARY))

    def forward(self, x: torch.Tensor, scale: float = 1.0) -> dict[str, torch.Tensor]:
        return {"logits": self.layers(x.add_(1).mul(scale)).view(len(x), PLACES, VOCABULARY)}


class Keeping(Tokens):
    """Goes on with its hidden state."""

    state: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        output, state = self.rnn(self.embed(x), self.state)
        self.state = state.detach()
        return self.head(output)


def note(module: nn.Module, given: Any, output: Any) -> None:
    log.append(1.0)


class Hooked(Tokens):
    """Has a hook that counts."""

    def __init__(self) -> None:
        super().__init__()
        self.head.register_forward_hook(note)


NETS: dict[str, Callable[[], nn.Module]] = {
    "plain": Tokens, "noisy": Noisy, "talking": Talking, "drawn": Drawn, "in place": InPlace, "keeping": Keeping,
    "hooked": Hooked,
}  # fmt: skip


def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    drawn = torch.Generator().manual_seed(5)
    for _ in range(STEPS):
        x = torch.randint(1, VOCABULARY, (6, PLACES + 1), generator=drawn)
        x[:3, 5:] = 0
        yield x[:, :-1], x[:, 1:]


def course(kind: str, *, watched: bool, amp: bool) -> tuple[Any, ...]:
    """All that a training leaves: weights, buffers, gradients, generators, what it noted and gave."""
    torch.manual_seed(0)
    random.seed(0)
    numpy.random.seed(0)
    generator.manual_seed(1)
    numbers.bit_generator.state = numpy.random.default_rng(4).bit_generator.state
    own_random.seed(2)
    log.clear()
    seen.clear()
    settings.__init__()
    model = NETS[kind]()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses: list[float] = []
    with danlu.watch(model, optimizer, shown=False) if watched else contextlib.nullcontext() as watch:
        for x, y in batches():
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=amp):
                output = model(x.float() if kind == "in place" else x)
                output = output["logits"] if isinstance(output, dict) else output
                loss = F.cross_entropy(output.float().transpose(1, 2), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    state = {name: value.tolist() for name, value in model.state_dict().items()}
    gradients = [parameter.grad.tolist() for parameter in model.parameters() if parameter.grad is not None]
    drawn = torch.rand(3).tolist(), random.random(), numpy.random.rand(), own_random.random()
    more = torch.rand(2, generator=generator).tolist(), numbers.random(), list(log), dict(seen), vars(settings)
    kept = torch.rand(2, generator=model.own).tolist() if isinstance(model, Tokens) else []
    noted = model.history if isinstance(model, Tokens) else []
    return (losses, state, gradients, drawn, more, kept, noted), watch


@pytest.mark.every(6)
@pytest.mark.parametrize("amp", [False, True])
@pytest.mark.parametrize("kind", NETS)
def test_the_bits_stay_the_same(kind: str, amp: bool, capsys: pytest.CaptureFixture[str]) -> None:
    one, watch = course(kind, watched=True, amp=amp)
    printed = capsys.readouterr()
    other, _ = course(kind, watched=False, amp=amp)
    assert one == other
    assert printed == capsys.readouterr()
    assert watch is not None
    (trial,) = watch.measured.interventions.values()
    assert trial.refused == {"hooked": "hooks", "keeping": "random"}.get(kind, "")


class Counting(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        global counted  # noqa: PLW0603
        counted = 1
        return x


class Calling(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return other_net(x)


other_net = nn.BatchNorm1d(3)
counted = 0


def unmade() -> nn.Module:
    net = nn.Linear(3, 3)
    net.lock = (value for value in ())  # type: ignore[assignment]
    return net


def replaced() -> nn.Module:
    net = nn.Linear(3, 3)
    net.forward = lambda x: x  # type: ignore[method-assign, assignment]
    return net


def compiled() -> nn.Module:
    net: Any = torch.compile(nn.Linear(3, 3), backend="eager")
    return net


class Sharing(nn.Linear):
    def __deepcopy__(self, memo: Any) -> nn.Module:
        return self


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (Counting, "globals"), (Calling, "globals"), (unmade, "copy"), (replaced, "forward"),
        (lambda: Sharing(3, 3), "copy"), (compiled, "forward"),
        (lambda: nn.Linear(3, 3, device="meta"), "tensors"),
    ],
)  # fmt: skip
def test_what_cannot_stand_alone_is_not_tried(make: Callable[[], nn.Module], why: str) -> None:
    with pytest.raises(UntriedError, match=f"^{why}$"):
        Copy(ModuleCall.of(make(), (torch.zeros(2, 3),), {}))


def test_a_hook_on_every_module_is_a_reason_not_to_try() -> None:
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        with pytest.raises(UntriedError, match="hooks"):
            Copy(ModuleCall.of(nn.Linear(3, 3), (torch.zeros(2, 3),), {}))
    finally:
        handle.remove()


def test_a_call_that_fails_alone_is_a_reason() -> None:
    net = nn.Linear(3, 3)
    call = ModuleCall.of(net, (torch.zeros(2, 3),), {})
    with pytest.raises(UntriedError, match="call"):
        Copy(call).answer({id(call.tensors[0]): torch.zeros(2, 4)})


def test_arguments_that_cannot_be_changed_are_a_reason() -> None:
    class Boxed(dict[str, Any]):
        pass

    class Unpacking(nn.Linear):
        def forward(self, input: Any) -> torch.Tensor:
            return super().forward(input["x"])

    with pytest.raises(UntriedError, match="arguments"):
        Copy(ModuleCall.of(Unpacking(3, 3), (Boxed(x=torch.zeros(2, 3)),), {})).answer({})


def test_the_same_noise_is_drawn_every_time() -> None:
    net = nn.Sequential(nn.Linear(3, 3), nn.RReLU())
    own = Copy(ModuleCall.of(net, (torch.zeros(2, 3),), {}))
    assert torch.equal(own.answer({})[0], own.answer({})[0])
