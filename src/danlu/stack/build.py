"""Which nets can be stacked, and in which way: a chain, the net's own forward on folded samples, or vmap.

The ways of a net's own forward are tried out on a small batch, two members against one alone: nobody can tell from the
layers whether a forward mixes samples.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from danlu.base.errors import Fault
from danlu.base.recipe import Recipe
from danlu.base.seeds import preserved_randomness
from danlu.stack.chain import ChainNet, links_of
from danlu.stack.choices import untimed
from danlu.stack.exchange import DROPOUTS
from danlu.stack.folded import FoldedNet, NotFoldableError
from danlu.stack.layout import Layout
from danlu.stack.losses import LOSSES
from danlu.stack.mapped import MappedNet
from danlu.stack.nets import StackedNet
from danlu.stack.optimisers import FLAGS, STACKED, setting
from danlu.train.norms import BATCH_NORMS
from danlu.train.schedules import OWN_SCHEDULE

_RANDOM = ("RReLU", "FractionalMaxPool", "AlphaDropout", "Transformer", "MultiheadAttention")
_TRIAL_SAMPLES = 3
_MACHINERY = frozenset(vars(nn.Module()))  # what every module holds, options aside


@dataclass(frozen=True)
class Way:
    """How nets become a stack. `fills`: samples that do not count may fill a batch, since nothing looks at a batch as
    a whole and nothing is drawn for it."""

    build: Callable[[Sequence[nn.Module], Layout], StackedNet]
    fills: bool = False


def stackable(net: nn.Module, sample: Tensor | None = None) -> Fault | None:
    """None where copies of `net` can be trained in a stack, else why not.

    With `sample`, inputs [N, …], the ways are also tried out; without, what only a trial shows is not known yet.

    >>> stackable(nn.Sequential(nn.Linear(2, 3), nn.ReLU())) is None
    True
    >>> stackable(nn.LSTM(2, 3)).id
    'train.stack-recurrent'
    """
    for module in net.modules():
        kind = type(module).__name__
        if isinstance(module, nn.RNNBase):
            return Fault("train.stack-recurrent", {"layer": kind})
        if any(word in kind for word in _RANDOM) and type(module).__module__.startswith("torch."):
            return Fault("train.stack-random-layer", {"layer": kind})
        if any(vars(module)[hooks] for hooks in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")):
            return Fault("train.stack-hooks", {"layer": kind})
        if isinstance(module, nn.Embedding) and (module.sparse or module.max_norm or module.scale_grad_by_freq):
            return Fault("train.stack-embedding")
    if not any(parameter.requires_grad for parameter in net.parameters()):
        return Fault("train.nothing-to-train")
    if sample is not None and find_way(net, sample) is None:
        one_row = _gives_one_row(net, sample)
        return Fault(f"train.stack-{'mixes-samples' if one_row else 'outputs'}", {"net": type(net).__name__})
    return None


def recipe_stackable(recipe: Recipe) -> Fault | None:
    """None where a stack can carry out `recipe`, else which setting it has not."""
    if fault := step_stackable(recipe):
        return fault
    augment = recipe.data.augment
    return Fault("train.stack-setting", {"key": "data.augment", "value": augment}) if augment else None


def step_stackable(recipe: Recipe) -> Fault | None:
    """None where a stack can make the steps of `recipe` from given batches, else which setting it has not."""
    if recipe.optim.name not in STACKED:
        return Fault("train.stack-optimiser", {"name": recipe.optim.name, "names": ", ".join(STACKED)})
    if recipe.train.precision not in ("float32", "float64"):
        return Fault("train.stack-precision", {"precision": recipe.train.precision})
    unknown = {
        "train.freeze": recipe.train.freeze,
        "train.fit_memory": recipe.train.fit_memory,
        "optim.rates": recipe.optim.rates,
        "schedule.name": recipe.schedule.name if recipe.schedule.name == OWN_SCHEDULE else None,
        "loss.name": None if recipe.loss.name in LOSSES else recipe.loss.name,
    }
    for key, value in unknown.items():
        if value:
            return Fault("train.stack-setting", {"key": key, "value": value})
    return None


def same_structure(*nets: nn.Module) -> bool:
    """Whether nets can be members of one stack: same layers, shapes and options, but for rates of dropout layers.

    >>> same_structure(nn.Dropout(0.1), nn.Dropout(0.5)), same_structure(nn.Linear(2, 3), nn.Linear(2, 4))
    (True, False)
    """
    first = _structure(nets[0])
    return all(_structure(net) == first for net in nets[1:])


def same_step(*recipes: Recipe) -> bool:
    """Whether recipes can be those of members of one stack: they may differ in numbers only."""
    first = _step(recipes[0])
    return all(_step(recipe) == first for recipe in recipes[1:])


def _step(recipe: Recipe) -> tuple[Any, ...]:
    train = recipe.train
    flags = tuple(bool(setting(recipe.optim, key)) for key in FLAGS)
    scored = bool(train.limit_predictions)
    loop = (scored, train.epochs, train.batch_size, train.accumulate, train.precision, train.ema is None)
    loss = (recipe.loss.name, recipe.loss.reduction, recipe.loss.gamma, recipe.loss.class_weights is None)
    return (recipe.optim.name, *flags, *loss, *loop)


def _structure(net: nn.Module) -> list[Any]:
    return [(name, type(module), _options(module)) for name, module in net.named_modules()] + [
        (name, tuple(tensor.shape), tensor.dtype, tensor.requires_grad)
        for name, tensor in (*net.named_parameters(remove_duplicate=False), *net.named_buffers(remove_duplicate=False))
    ]


def _options(module: nn.Module) -> dict[str, Any]:
    """The plain values a module holds: its options. A net's own note of its dropout rate counts as little as the rate
    of its dropout layers, unless it has none and so must use it by itself."""
    plain = {key: value for key, value in vars(module).items() if key not in _MACHINERY and _is_plain(value)}
    if isinstance(module, DROPOUTS):
        plain.pop("p")
    elif "dropout" in plain and any(isinstance(child, DROPOUTS) for child in module.modules()):
        plain["dropout"] = plain["dropout"] != 0
    return plain


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(_is_plain(entry) for entry in cast(tuple[Any, ...], value))
    return value is None or isinstance(value, (bool, int, float, str))


def find_way(net: nn.Module, sample: Tensor) -> Way | None:
    """The first way, fastest first, in which stacked copies of `net` equal `net` alone; None where there is none."""
    links = links_of(net, sample.shape[1:])
    if links is not None:
        return Way(lambda nets, layout: ChainNet(nets, layout, links), fills=not _drops_or_norms(net))
    trial = sample[:_TRIAL_SAMPLES]
    if trial.dtype is torch.float32:
        # Through fifty layers with batch normalisation over so few samples, float32 no longer tells equal from unequal.
        try:
            return _fastest_that_agrees(copy.deepcopy(net).double(), trial.double())
        except RuntimeError:
            pass  # its forward has a type of its own
    return _fastest_that_agrees(net, trial)


def _fastest_that_agrees(net: nn.Module, trial: Tensor) -> Way | None:
    nets = [copy.deepcopy(net) for _ in range(2)]
    for parameter, other in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        other.data = parameter.data * 1.25
    for module in (module for twin in nets for module in twin.modules()):
        if isinstance(module, DROPOUTS):
            module.p = 0.0
    with _NoDropping() as undropped:
        expected = [_passes_alone(copy.deepcopy(twin), trial) for twin in nets]
    if any(result is None for result in expected):
        return None
    fills = not _drops_or_norms(net)
    ways = [Way(MappedNet)]
    if not undropped.found:
        ways[:0] = [
            Way(lambda nets, layout: FoldedNet(nets, layout, shares=True), fills),
            Way(lambda nets, layout: FoldedNet(nets, layout, shares=False), fills),
        ]
    return next((way for way in ways if _agrees(way, nets, trial, expected)), None)


def _drops_or_norms(net: nn.Module) -> bool:
    return any(isinstance(module, (*DROPOUTS, *BATCH_NORMS)) for module in net.modules())


class _NoDropping(TorchFunctionMode):
    """Nothing is dropped where a net calls F.dropout itself; `found` says that it does."""

    found = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is F.dropout:
            rate = args[1] if len(args) > 1 else (kwargs or {}).get("p", 0.5)
            self.found = self.found or rate > 0
            return args[0]
        return func(*args, **(kwargs or {}))


def _gives_one_row(net: nn.Module, samples: Tensor) -> bool:
    """Whether a net gives one row of numbers a sample."""
    with preserved_randomness(), torch.no_grad():
        outputs: Any = copy.deepcopy(net).train()(samples[:_TRIAL_SAMPLES])
    return isinstance(outputs, Tensor) and outputs.dim() <= 2


Passes = list[Tensor]


def _passes_alone(net: nn.Module, samples: Tensor) -> Passes | None:
    """Outputs [C, N] of a net in training, and the gradients of their sum of squares."""
    outputs: Any = net.train()(samples)
    if not isinstance(outputs, Tensor) or outputs.dim() > 2:
        return None
    outputs.square().sum().backward()
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    gradients = [torch.zeros_like(entry) if entry.grad is None else entry.grad for entry in trained]
    return [outputs.detach().reshape(len(samples), -1).mT, *gradients, *net.buffers()]


def _agrees(way: Way, nets: Sequence[nn.Module], samples: Tensor, expected: Sequence[Any]) -> bool:
    try:
        stack = way.build([copy.deepcopy(net) for net in nets], Layout.of([0, 0], samples.device))
        with untimed():
            outputs = stack.forward(samples[None], None, training=True)
            results = [outputs, *stack.backward(2 * outputs), *stack.buffers.values()]
    except (NotFoldableError, RuntimeError, ValueError, IndexError, TypeError):
        return False  # the forward does not go with folded samples, or vmap has no rule for something in it
    tolerance = 1e-3 if samples.dtype != torch.float64 else 1e-9
    for k, passes in enumerate(expected):
        # A gradient that cancels, such as that of a bias before a normalisation, is noise: its size says nothing.
        size = max(float(alone.abs().max()) for alone in passes if alone.is_floating_point() and alone.numel())
        for result, alone in zip(results, passes, strict=True):
            if not torch.allclose(result[k], alone, rtol=tolerance, atol=tolerance * size):
                return False
    return True
