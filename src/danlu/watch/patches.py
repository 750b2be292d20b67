"""The few functions of torch that are listened to while a block is watched, and put back after it."""

# The losses of torch.nn.functional end in functions of torch's private C module; only there are they met whoever called
# them, and there is no public name of it. In this file alone it is touched.
# pyright: reportPrivateUsage=false, reportAttributeAccessIssue=false

import functools
import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler

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
)


_SUM = 2


class LossCall(NamedTuple):
    """One call of a loss function of torch."""

    name: str
    kind: str  # of its targets: classes, binary, numbers, divergence
    outputs: torch.Tensor
    targets: torch.Tensor
    weighted: bool
    summed: bool


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

    def backward_begins(self, tensors: Any) -> None:
        """The backward pass from `tensors` is about to run."""
        ...

    def scaled(self, outputs: Any) -> None:
        """A GradScaler was given the loss."""
        ...

    def clipped(self, limit: float, norm: Any, kind: str) -> None:
        """Gradients were clipped by norm or by value."""
        ...

    def scheduler_stepped(self, scheduler: Any, args: tuple[Any, ...]) -> None:
        """A learning-rate scheduler has made a step."""
        ...

    def saved_elsewhere(self) -> None:
        """Saved tensors of the graph go through somebody's hooks, such as those of checkpointing."""
        ...


class Patches:
    """Attributes replaced, and their originals."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any, Any]] = []

    def replace(self, owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        """Put `wrap(original)` in the place of an attribute that `owner` itself holds."""
        original = vars(owner)[name]
        replacement = functools.wraps(original)(wrap(original))
        setattr(owner, name, replacement)
        self._originals.append((owner, name, original, replacement))

    def restore(self) -> None:
        """Put back the originals, but where somebody else has replaced ours meanwhile."""
        for owner, name, original, replacement in reversed(self._originals):
            if vars(owner).get(name) is replacement:
                setattr(owner, name, original)
        self._originals.clear()


def listen(listener: Listener) -> Patches:
    """Let `listener` hear of losses, backward passes, scaling, clipping and schedulers, until `restore`."""
    patches = Patches()
    for owner, name, kind, place in LOSSES:
        patches.replace(owner, name, functools.partial(_loss, listener, name, kind, place))
    patches.replace(F, "dropout", functools.partial(_dropout, listener))
    patches.replace(torch.autograd, "backward", functools.partial(_backward, listener))
    patches.replace(torch.amp.GradScaler, "scale", functools.partial(_scale, listener))
    for module in (torch.nn.utils, torch.nn.utils.clip_grad):
        patches.replace(module, "clip_grad_norm_", functools.partial(_clip, listener, "norm"))
        patches.replace(module, "clip_grad_value_", functools.partial(_clip, listener, "value"))
    for kind in vars(lr_scheduler).values():
        if inspect.isclass(kind) and "step" in vars(kind) and kind is not torch.optim.Optimizer:
            patches.replace(kind, "step", functools.partial(_schedule, listener))
    patches.replace(torch.autograd.graph.saved_tensors_hooks, "__enter__", functools.partial(_enter, listener))
    return patches


def _loss(listener: Listener, name: str, kind: str, place: int, original: Callable[..., Any]) -> Callable[..., Any]:
    def described(args: tuple[Any, ...]) -> LossCall:
        weighted = any(isinstance(one, torch.Tensor) for one in args[2:place])
        return LossCall(name, kind, args[0], args[1], weighted, len(args) > place and args[place] == _SUM)

    def observed(*args: Any, **kwargs: Any) -> Any:
        if len(args) < 2 or torch.compiler.is_compiling():
            return original(*args, **kwargs)
        try:
            result = original(*args, **kwargs)
        except Exception:
            listener.loss_refused(described(args))
            raise
        if not (listener.passes_losses and result.requires_grad):
            listener.loss_computed(described(args), result)
        return result

    return observed


def _dropout(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        if training and not torch.compiler.is_compiling():
            listener.dropped(p)
        return original(input, p, training, inplace)

    return observed


def _backward(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(tensors: Any, *args: Any, **kwargs: Any) -> Any:
        listener.backward_begins(tensors)
        return original(tensors, *args, **kwargs)

    return observed


def _scale(listener: Listener, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(self: Any, outputs: Any) -> Any:
        listener.scaled(outputs)
        return original(self, outputs)

    return observed


def _clip(listener: Listener, kind: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def observed(parameters: Any, limit: float, *args: Any, **kwargs: Any) -> Any:
        norm = original(parameters, limit, *args, **kwargs)
        listener.clipped(limit, norm, kind)
        return norm

    def by_norm(parameters: Any, max_norm: float, *args: Any, **kwargs: Any) -> Any:
        return observed(parameters, max_norm, *args, **kwargs)

    def by_value(parameters: Any, clip_value: float, *args: Any, **kwargs: Any) -> Any:
        return observed(parameters, clip_value, *args, **kwargs)

    # A caller may name the argument.
    return by_norm if kind == "norm" else by_value


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
