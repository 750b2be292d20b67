"""The few functions of torch that are listened to while a block is watched, and put back after it.

They are replaced where all callers meet, whoever imported what and when, and that is mostly below the public names: so
an object that holds one of those can be pickled as ever.
"""

# There are no public names of the places where all callers meet. In this file alone they are touched.
# pyright: reportPrivateUsage=false, reportAttributeAccessIssue=false, reportUnknownMemberType=false

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch.jit import _builtins as jit_builtins
from torch.optim import lr_scheduler
from torch.utils import checkpoint
from torch.utils.data import DataLoader

from danlu.watch.lane import Lane
from danlu.watch.tracing import is_going_backwards, is_traced, is_transformed

# What the losses of torch.nn.functional call in the end, whoever imported them and when: where it lies, its name, what
# it is of, and the place of the reduction among its arguments; the weight, where there is one, comes third.
LOSSES = (
    (torch._C._nn, "cross_entropy_loss", "classes", 3),
    (torch._C._nn, "nll_loss_nd", "classes", 3),
    (torch._C._nn, "binary_cross_entropy", "binary", 3),
    (torch, "binary_cross_entropy_with_logits", "binary", 4),
    (torch._C._nn, "mse_loss", "numbers", 2),
    (torch._C._nn, "l1_loss", "numbers", 2),
    (torch._C._nn, "smooth_l1_loss", "numbers", 2),
    (torch._C._nn, "huber_loss", "numbers", 2),
    (torch, "kl_div", "divergence", 2),
    (torch, "ctc_loss", "alignment", 5),
)


_NO_REDUCTION, _SUM = 0, 2
_DROPOUT = 4  # place of the rate among the arguments of attention


class LossCall(NamedTuple):
    """One call of a loss function of torch."""

    name: str
    kind: str  # of its targets: classes, binary, numbers, divergence, alignment
    outputs: torch.Tensor
    targets: torch.Tensor
    weighted: bool
    summed: bool
    single: bool = False  # one loss for each target, not yet reduced
    ignored: int | None = None  # the class that counts for nothing
    weights: torch.Tensor | None = None  # of the classes; of a binary loss that of the positive one


class Listener(Protocol):
    """Whoever wants to hear of what goes by."""

    passes_losses: bool
    """Whether the losses of training are of no interest now."""

    def loss_computed(self, call: LossCall, result: torch.Tensor) -> None:
        """A loss function of torch has answered."""
        ...

    def loss_refused(self, call: LossCall) -> None:
        """A loss function of torch has raised."""
        ...

    def dropped(self, rate: float) -> None:
        """A share of the activations was dropped."""
        ...

    lane: Lane
    """Takes the losses of ordinary steps."""

    def backward_begins(self, tensors: Sequence[Any]) -> None:
        """The backward pass from `tensors` is about to run."""
        ...

    def gradients_taken(self, tensors: Sequence[Any], inputs: Sequence[Any], *, create_graph: bool) -> None:
        """The gradients of `tensors` are about to be computed, and handed to the caller."""
        ...

    def may_evaluate(self) -> None:
        """Gradients were switched off, or a module was put into evaluation mode."""
        ...

    def scaled(self, outputs: Any) -> None:
        """A GradScaler was given the loss."""
        ...

    def scaler_called(self, name: str, scale: float, *, ends: bool) -> None:
        """A method of a GradScaler's begins or ends."""
        ...

    def checkpointed(self, *, dry: bool) -> None:
        """A part of a net is run by a checkpoint; `dry` where none of its inputs needs a gradient."""
        ...

    def loader_begun(self, loader: Any) -> None:
        """A DataLoader is gone through from the beginning."""
        ...

    def clipped(self, limit: float, norm: Any, kind: str) -> None:
        """Gradients were clipped by norm or by value."""
        ...

    def put_into_training(self, module: torch.nn.Module) -> None:
        """A module was put into training mode."""
        ...

    def weights_loaded(self, module: torch.nn.Module, state: Any) -> None:
        """A state is about to be loaded into a module."""
        ...

    def scheduler_stepped(self, scheduler: Any, args: tuple[Any, ...]) -> None:
        """A learning-rate scheduler has made a step."""
        ...

    def saved_elsewhere(self) -> None:
        """Saved tensors of the graph go through somebody's hooks, such as those of checkpointing."""
        ...


_NOTHING = object()


class Patches:
    """Attributes replaced, and their originals."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any, Any]] = []

    def replace(self, owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put `wrap(original)` in the place of an attribute that `owner` holds, or answers with."""
        own = name in vars(owner)
        original = vars(owner)[name] if own else getattr(owner, name)
        replacement = functools.wraps(original)(wrap(original))
        setattr(owner, name, replacement)
        self._originals.append((owner, name, original if own else _NOTHING, replacement))
        builtins = jit_builtins._get_builtin_table()
        if id(original) in builtins:  # torch.jit.script knows its own functions by their ids
            builtins[id(replacement)] = builtins[id(original)]

    def restore(self) -> None:
        """Put back the originals, but where somebody else has replaced ours meanwhile."""
        for owner, name, original, replacement in reversed(self._originals):
            if vars(owner).get(name) is replacement:
                if original is _NOTHING:
                    delattr(owner, name)
                else:
                    setattr(owner, name, original)
            jit_builtins._get_builtin_table().pop(id(replacement), None)
        self._originals.clear()


def listen(listener: Listener, patches: Patches) -> None:
    """Let `listener` hear of losses, backward passes, scaling, clipping, schedulers, until `patches` are restored."""
    for owner, name, kind, place in LOSSES:
        patches.replace(owner, name, functools.partial(_loss, listener, name, kind, place))
    patches.replace(torch._VF, "dropout", functools.partial(_dropout, listener))
    patches.replace(torch._VF, "dropout_", functools.partial(_dropout, listener))
    patches.replace(F, "scaled_dot_product_attention", functools.partial(_attend, listener))
    patches.replace(torch.autograd, "_engine_run_backward", functools.partial(_backward, listener))
    patches.replace(torch.amp.GradScaler, "scale", functools.partial(_scale, listener))
    for name in ("unscale_", "step", "update"):
        patches.replace(torch.amp.GradScaler, name, functools.partial(_scaler, listener, name))
    patches.replace(checkpoint, "check_backward_validity", functools.partial(_checkpoint, listener))
    patches.replace(DataLoader, "__iter__", functools.partial(_iterate, listener))
    patches.replace(torch.nn.utils.clip_grad, "_clip_grads_with_norm_", functools.partial(_clip_norm, listener))
    patches.replace(torch.nn.utils, "clip_grads_with_norm_", functools.partial(_clip_norm, listener))
    for module in (torch.nn.utils, torch.nn.utils.clip_grad):
        patches.replace(module, "clip_grad_value_", functools.partial(_clip_value, listener))
    for switch in (torch.no_grad, torch.inference_mode):
        patches.replace(switch, "__enter__", functools.partial(_switch_off, listener))
    patches.replace(torch.set_grad_enabled, "__enter__", functools.partial(_set_grad, listener))
    patches.replace(torch.nn.Module, "train", functools.partial(_train, listener))
    patches.replace(torch.nn.Module, "load_state_dict", functools.partial(_load, listener))
    for kind in vars(lr_scheduler).values():
        if inspect.isclass(kind) and "step" in vars(kind) and kind is not torch.optim.Optimizer:
            patches.replace(kind, "step", functools.partial(_schedule, listener))
    patches.replace(torch.autograd.graph.saved_tensors_hooks, "__enter__", functools.partial(_enter, listener))


def _loss(listener: Listener, name: str, kind: str, place: int, original: Callable[..., Any]) -> Callable[..., Any]:
    def described(args: tuple[Any, ...]) -> LossCall:
        weighted = any(isinstance(one, torch.Tensor) for one in args[2:place])
        reduction = args[place] if len(args) > place else None
        weights = args[place - 1] if kind in ("classes", "binary") and len(args) > place - 1 else None
        ignored = args[place + 1] if kind == "classes" and len(args) > place + 1 else None
        outputs, targets = args[:2]
        if kind == "numbers" and targets.requires_grad and not outputs.requires_grad:
            outputs, targets = targets, outputs  # that loss is the same either way, and some write the target first
        return LossCall(
            name, kind, outputs, targets, weighted, reduction == _SUM, reduction == _NO_REDUCTION, ignored, weights
        )

    def observed(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2 or torch.compiler.is_compiling():
            return original(*args, **kwargs)
        try:
            result = original(*args, **kwargs)
        except Exception:
            if not is_traced() and not is_transformed():
                listener.loss_refused(described(args))
            raise
        if not (listener.passes_losses and result.requires_grad) and not is_traced() and not is_transformed():
            listener.loss_computed(described(args), result)
        return result

    return observed


def _dropout(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(input: Any, p: float, train: bool) -> Any:
        if train and not torch.compiler.is_compiling():
            listener.dropped(p)
        return original(input, p, train)

    return observed


def _attend(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(*args: Any, **kwargs: Any) -> Any:
        rate = args[_DROPOUT] if len(args) > _DROPOUT else kwargs.get("dropout_p", 0.0)
        if rate and not torch.compiler.is_compiling():
            listener.dropped(rate)
        return original(*args, **kwargs)

    return observed


def _backward(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    lane = listener.lane

    def observed(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling() or is_going_backwards():
            return original(tensors, *args, **kwargs)
        if kwargs.get("accumulate_grad"):
            if not (lane.left and lane.take(tensors)):
                listener.backward_begins(tensors)
        elif len(args) > 3:  # gradients of the outputs, retain_graph, create_graph, inputs
            listener.gradients_taken(tensors, args[3], create_graph=bool(args[2]))
        return original(tensors, *args, **kwargs)

    return observed


def _scale(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any, outputs: Any) -> Any:
        if self.is_enabled():
            listener.scaled(outputs)
        return original(self, outputs)

    return observed


def _scaler(listener: Listener, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not self.is_enabled():
            return original(self, *args, **kwargs)
        scale = self._scale if self._scale is not None else self._init_scale
        scale = float(scale) if not isinstance(scale, torch.Tensor) or scale.device.type == "cpu" else float("nan")
        listener.scaler_called(name, scale, ends=False)
        result = original(self, *args, **kwargs)
        listener.scaler_called(name, scale, ends=True)
        return result

    return observed


def _checkpoint(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(inputs: Any) -> Any:
        listener.checkpointed(dry=not any(isinstance(one, torch.Tensor) and one.requires_grad for one in inputs))
        return original(inputs)

    return observed


def _iterate(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any) -> Any:
        listener.loader_begun(self)
        return original(self)

    return observed


def _clip_norm(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(parameters: Any, max_norm: float, total_norm: Any, *args: Any, **kwargs: Any) -> Any:
        original(parameters, max_norm, total_norm, *args, **kwargs)
        listener.clipped(max_norm, total_norm, "norm")

    return observed


def _clip_value(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(parameters: Any, clip_value: float, *args: Any, **kwargs: Any) -> Any:
        original(parameters, clip_value, *args, **kwargs)
        listener.clipped(clip_value, None, "value")

    return observed


def _switch_off(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any) -> Any:
        listener.may_evaluate()
        return original(self)

    return observed


def _set_grad(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any) -> Any:
        if not self.mode:  # every optimiser of torch's calls set_grad_enabled itself, but enters no such block
            listener.may_evaluate()
        return original(self)

    return observed


def _train(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any, mode: bool = True) -> Any:
        if mode:
            listener.put_into_training(self)
        else:
            listener.may_evaluate()
        return original(self, mode)

    return observed


def _load(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any, state_dict: Any, *args: Any, **kwargs: Any) -> Any:
        listener.weights_loaded(self, state_dict)
        return original(self, state_dict, *args, **kwargs)

    return observed


def _schedule(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(self, *args, **kwargs)
        listener.scheduler_stepped(self, (*args, *kwargs.values()))
        return result

    return observed


def _enter(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any) -> Any:
        listener.saved_elsewhere()
        return original(self)

    return observed
