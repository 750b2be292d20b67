"""What people do to a model while it trains works inside the block as outside of it, at any moment, and gives the same.

Each deed is done at the same moments of the same training, watched and unwatched: before the first step, around steps
that are measured and ordinary ones, and after the block. What it gives, and the weights at the end, must be the same.
"""

# Results of any kind are compared.
# pyright: reportUnknownLambdaType=false

import contextlib
import copy
import functools
import io
import itertools
import multiprocessing
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import danlu
from loops import batches

STEPS = 214
# Steps after which, and steps within which (after the forward pass, after the backward pass) a deed is done: 10 and 200
# are measured, 209 to 213 are ordinary ones.
AFTER, WITHIN = (0, 1, 9, 209), (10, 211)


class Tied(nn.Module):
    """Two layers of one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.again, self.out = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        self.again.weight = self.into.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(torch.relu(self.again(torch.relu(self.into(x)))))


class Named(nn.Module):
    """Takes its input by name, and a scale that has a default."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Sequential(nn.Linear(16, 3)))

    def forward(self, x: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
        return self.inner(x) * scale


MODELS: dict[str, Callable[[], nn.Module]] = {
    "plain": lambda: nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)),
    "buffers": lambda: nn.Sequential(
        nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3)
    ),
    "tied": Tied,
    "named": Named,
}


class Training(NamedTuple):
    """What a deed may be done to."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    loss: nn.Module
    x: torch.Tensor
    y: torch.Tensor


def answer(model: Any, one: Training) -> torch.Tensor:
    """What a model says to the batch, in evaluation mode, and as it was afterwards."""
    training = getattr(model, "training", False)
    if training:
        model.eval()
    with torch.no_grad():
        output = model(one.x)
    if training:
        model.train()
    return output


def saved(one: Training) -> Any:
    file = io.BytesIO()
    torch.save(one.model, file)
    assert b"danlu" not in file.getvalue()
    file.seek(0)
    return torch.load(file, weights_only=False).state_dict()


def pickled(what: str, one: Training) -> Any:
    data = pickle.dumps(getattr(one, what))
    assert b"danlu" not in data
    back = pickle.loads(data)
    return back.state_dict() if hasattr(back, "state_dict") else None


def trained_copy(one: Training) -> Any:
    """A copy goes its own way for some steps; nothing of that is a step of the watched training."""
    model, optimizer = copy.deepcopy((one.model, one.optimizer))
    for _ in range(3):
        optimizer.zero_grad()
        one.loss(model(x=one.x) if isinstance(model, Named) else model(one.x), one.y).backward()
        optimizer.step()
    return model.state_dict()


def averaged(one: Training) -> Any:
    average = AveragedModel(one.model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    average.update_parameters(one.model)
    return answer(average, one)


def functional(one: Training) -> Any:
    parameters = dict(one.model.named_parameters()) | dict(one.model.named_buffers())
    return torch.func.functional_call(one.model.eval(), parameters, (one.x,)), one.model.train().training


def per_sample_gradients(one: Training) -> Any:
    parameters = {name: parameter.detach() for name, parameter in one.model.named_parameters()}
    one.model.eval()

    def loss(parameters: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(torch.func.functional_call(one.model, parameters, (x[None],)), y[None])

    gradients = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(parameters, one.x[:4], one.y[:4])
    one.model.train()
    return gradients


def jacobian(one: Training) -> Any:
    one.model.eval()
    found = torch.func.jacrev(one.model)(one.x[:2])
    one.model.train()
    return found


def traced(one: Training) -> Any:
    graph: Any = torch.jit.trace(one.model.eval(), one.x)
    one.model.train()
    return [node.kind() for node in graph.inlined_graph.nodes()], graph(one.x)


def scripted(one: Training) -> Any:
    graph = torch.jit.script(one.model.eval())
    one.model.train()
    return str(graph.graph), graph(one.x)


def scripted_loss(one: Training) -> Any:
    return torch.jit.script(one.loss)(answer(one.model, one), one.y)


def fx(one: Training) -> Any:
    graph = torch.fx.symbolic_trace(one.model.eval())
    one.model.train()
    return graph.code, answer(graph, one)


def exported(one: Training, strict: bool) -> Any:
    graph = torch.export.export(copy.deepcopy(one.model).eval(), (one.x,), strict=strict)
    own = torch.export.export(one.model.eval(), (one.x,), strict=strict)
    one.model.train()
    return graph.graph_module.code, own.graph_module.code, own.module()(one.x)


def compiled(one: Training) -> Any:
    torch.compiler.reset()
    fast = torch.compile(one.model, backend="eager", fullgraph=True)
    loss = torch.compile(lambda x, y: one.loss(fast(x), y), backend="aot_eager", fullgraph=True)
    return answer(fast, one), loss(one.x, one.y).detach()


def gradient_penalty(one: Training) -> Any:
    x = one.x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(one.model.eval()(x).sum(), x, create_graph=True)
    one.model.train()
    return slope.detach()


def hooked(one: Training) -> Any:
    heard: list[str] = []
    handles = [
        module.register_forward_hook(lambda m, *_: heard.append(type(m).__name__)) for module in one.model.modules()
    ]
    handles += [
        module.register_full_backward_hook(lambda m, *_: heard.append(type(m).__name__))
        for module in one.model.modules()
    ]
    answer(one.model, one)
    for handle in handles:
        handle.remove()
    return heard


def insides(one: Training) -> Any:
    """Everything that hangs on the objects, by name and kind."""
    whole = [*one.model.modules(), one.optimizer, one.scheduler, one.loss]
    return [{name: type(value).__name__ for name, value in vars(thing).items()} for thing in whole], [
        (type(one).__name__, len(one._backward_hooks or ())) for one in one.model.parameters()
    ]


def sent(one: Training) -> Any:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(_in_another_process, (copy.deepcopy(one.model), one.x))


def _in_another_process(model: nn.Module, x: torch.Tensor) -> Any:
    return model.eval()(x).detach().tolist()


def moved(one: Training) -> Any:
    one.model.double()
    wide = answer(one.model, one._replace(x=one.x.double()))
    one.model.float()
    return wide


def refused(one: Training) -> Any:
    said = []
    for call in (lambda: one.model(one.x[:, :3]), lambda: one.loss(one.x, one.y[:2]), lambda: one.model(nothing=1)):
        try:
            call()
        except Exception as error:  # noqa: BLE001
            said.append(f"{type(error).__name__}: {error}")
    return said


def meta(one: Training) -> Any:
    with torch.no_grad(), torch.device("meta"):
        tensors = [*one.model.named_parameters(), *one.model.named_buffers()]
        shapes = {name: value.to("meta") for name, value in tensors}
        output = torch.func.functional_call(one.model, shapes, (one.x.to("meta"),))
        return output.shape, F.cross_entropy(output, one.y.to("meta")).shape


def counted(one: Training) -> Any:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as flops:
        answer(one.model, one)
    return flops.get_total_flops()


Deeds = dict[str, Callable[[Training], Any]]
DEEDS: Deeds = {
    "torch.save": saved,
    "pickle model": functools.partial(pickled, "model"),
    "pickle optimizer": functools.partial(pickled, "optimizer"),
    "pickle loss": functools.partial(pickled, "loss"),
    "deepcopy scheduler": lambda one: copy.deepcopy(one.scheduler).state_dict().keys(),
    "copy": lambda one: answer(copy.copy(one.model), one),
    "train a copy": trained_copy,
    "average": averaged,
    "state_dict": lambda one: one.model.load_state_dict(one.model.state_dict()),
    "functional_call": functional,
    "vmap of grad": per_sample_gradients,
    "jacrev": jacobian,
    "jit.trace": traced,
    "jit.script": scripted,
    "jit.script of the loss": scripted_loss,
    "fx": fx,
    "gradient penalty": gradient_penalty,
    "hooks": hooked,
    "what hangs on the objects": insides,
    "another process": sent,
    "double and back": moved,
    "mistakes": refused,
    "meta": meta,
    "count operations": counted,
}
DEAR: Deeds = {
    "export": functools.partial(exported, strict=False),
    "strict export": functools.partial(exported, strict=True),
    "compile": compiled,
}
# Within a step these break its graph, watched or not; the last trains, and so moves the statistics of batch norm.
BETWEEN_STEPS = {*itertools.product(("state_dict", "double and back"), MODELS), ("compile", "buffers")}
NOT_FOR = {("jit.script", "named"), ("copy", "tied")}


def plainly(value: Any) -> Any:
    """A result as something that can be compared."""
    if isinstance(value, torch.Tensor):
        return value.detach().tolist()
    if isinstance(value, dict):
        return {str(key): plainly(one) for key, one in value.items()}
    return [plainly(one) for one in value] if isinstance(value, list | tuple) else str(value)


def course(kind: str, deeds: Deeds, *, watched: bool) -> tuple[dict[Any, Any], list[Any], int]:
    """What each deed gave at each moment, the state at the end, and the steps that were seen."""
    torch.manual_seed(0)
    model = MODELS[kind]()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 100)
    loss = nn.CrossEntropyLoss()
    given: dict[Any, Any] = {}

    def act(when: str, x: torch.Tensor, y: torch.Tensor) -> None:
        for name, deed in deeds.items():
            if (name, kind) not in NOT_FOR and not (when.startswith("within") and (name, kind) in BETWEEN_STEPS):
                given[name, when] = plainly(deed(Training(model, optimizer, scheduler, loss, x, y)))

    block = danlu.watch(model, optimizer, shown=False) if watched else contextlib.nullcontext()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # pyright: ignore[reportPrivateImportUsage]
        with block as watch:
            for step, (x, y) in enumerate(batches(STEPS)):
                if step in AFTER:
                    act(f"after {step}", x, y)
                optimizer.zero_grad()
                output = model(x=x) if kind == "named" else model(x)
                if step + 1 in WITHIN:
                    act(f"within {step + 1}, before backward", x, y)
                loss(output, y).backward()
                if step + 1 in WITHIN:
                    act(f"within {step + 1}, after backward", x, y)
                optimizer.step()
                scheduler.step()
        act("after the block", *next(batches(1)))
    seen = watch.measured.step if watch is not None else STEPS
    state = [plainly(model.state_dict()), str(optimizer.state_dict()["param_groups"]), torch.get_rng_state().tolist()]
    return given, state, seen


def compare(kind: str, deeds: Deeds) -> None:
    given, state, seen = course(kind, deeds, watched=True)
    expected, unwatched, _ = course(kind, deeds, watched=False)
    assert [key for key in expected if given[key] != expected[key]] == []
    assert state == unwatched
    assert seen == STEPS


@pytest.mark.every(2)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "kind", ["plain", "buffers", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("tied", "named"))]
)
def test_it_works_as_if_nobody_watched(kind: str) -> None:
    compare(kind, DEEDS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["plain", "buffers"])
@pytest.mark.parametrize("deed", DEAR)
def test_it_is_compiled_and_exported_as_if_nobody_watched(deed: str, kind: str) -> None:
    compare(kind, {deed: DEAR[deed]})


def test_a_model_saved_inside_the_block_loads_where_danlu_is_not(tmp_path: Path) -> None:
    model = MODELS["plain"]()
    with danlu.watch(model, shown=False):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in batches(5):
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            torch.save((model, optimizer), tmp_path / "model.pt")
    load = "torch.load(sys.argv[1], weights_only=False)"
    script = f"import sys; sys.modules['danlu'] = None; import torch; print({load}[0][0])"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "model.pt")], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("Linear("), done.stderr
