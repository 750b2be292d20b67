"""What a loss object tells of itself without being called: what it weighs, and what it leaves out."""

from typing import Any

import torch

from danlu.watch.loss_facts import DeclaredLoss
from danlu.watch.measured import Measured
from danlu.watch.tracing import unreadable

# What losses of people's own call their weights of the classes.
_WEIGHTS = ("alpha", "weight", "weights", "class_weight", "class_weights")
_MOST = 1_000


def read_loss(measured: Measured, loss: Any) -> None:
    """Note what the loss is, if it is an object; a plain function tells nothing.

    >>> measured = Measured()
    >>> read_loss(measured, torch.nn.CrossEntropyLoss(ignore_index=0))
    >>> measured.declared
    DeclaredLoss(kind='CrossEntropyLoss', weighted=False, ignored=0)
    """
    if not isinstance(loss, torch.nn.Module):
        return
    ignored = getattr(loss, "ignore_index", None)
    weighted = any(isinstance(getattr(loss, name, None), torch.Tensor) for name in ("weight", "pos_weight"))
    whole = isinstance(ignored, int) and not isinstance(ignored, bool)
    measured.declared = DeclaredLoss(type(loss).__name__, weighted, ignored if whole else None)
    measured.labels.weighted = measured.labels.weighted or weighted
    own = next((one for name in _WEIGHTS if (one := _by_class(getattr(loss, name, None)))), ())
    if own and not _is_torchs(loss):
        measured.labels.weights, measured.labels.weighted = own, True


def _by_class(value: Any) -> tuple[float, ...]:
    """Numbers by class, in a list or a tensor; nothing where it is something else."""
    if isinstance(value, list | tuple):
        plain = all(isinstance(one, int | float) for one in value)  # pyright: ignore[reportUnknownVariableType]
        return tuple(float(one) for one in value) if plain and len(value) > 1 else ()  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if not isinstance(value, torch.Tensor) or value.dim() != 1 or not 1 < len(value) <= _MOST or unreadable(value):
        return ()
    return tuple(float(one) for one in value.detach().tolist())


def _is_torchs(loss: torch.nn.Module) -> bool:
    """Whether it is one of torch's own losses, whose weights are heard of where they are used."""
    return type(loss).__module__.partition(".")[0] == "torch"
