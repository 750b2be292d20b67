"""A copy of the net whose weights follow those of the net, and that is evaluated in its place."""

import re
import weakref
from collections.abc import Mapping

import torch
from torch import nn

from danlu.watch.conduct import Averaged
from danlu.watch.frames import calling_line
from danlu.watch.measured import Measured
from danlu.watch.probes.structure import BATCH_NORMS, drops_by_layers
from danlu.watch.tracing import is_unmade, unreadable

_TENSORS, _NUMBERS = 4, 256  # of the weights that are compared
_MOST_STEPS = 64  # at which it was called
_FEWEST_STEPS = 32  # in which a copy was called that takes part in the training
_OFTEN = 0.5  # of the steps between its first and its last call: then it takes part in the training
_EXCHANGED = 0.1  # of the way: the training has not gone back by itself
_AVERAGES = re.compile(r"averag|ema(?![a-z])", re.IGNORECASE)
_STRAIGHT = 0.5  # cosine of a way back
_MOVED = 0.1  # of the size of what normalisation keeps


class AveragedProbe:
    """Knows a copy by its class and shapes, where it is called without gradients, and measures how far it lags."""

    writes = ("averaged",)

    def __init__(self, measured: Measured, roots: Mapping[str, nn.Module]) -> None:
        self._measured = measured
        self._roots = list(roots.values())
        self._shapes = [_shapes(root) for root in self._roots]
        self._first = [_sample(root) for root in self._roots]
        self._statistics = [_statistics(root) for root in self._roots]  # of the nets, when those of the copy were kept
        self._kept: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # weights and statistics of the copy, by place
        self._known: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()  # the place of its root
        self._steps: dict[int, int] = {}  # calls by step
        self._trained: list[torch.Tensor | None] = []  # weights after the newest measured step, by place
        # Of each copy, what it was when it was first called, and in how many steps of the training it was called.
        self._began: weakref.WeakKeyDictionary[nn.Module, torch.Tensor] = weakref.WeakKeyDictionary()
        self._evaluated: dict[int, bool] = {}  # by step, whether the net was evaluated with others

    def called(self, module: nn.Module, step: int) -> None:
        """A module that is no part of the net is called."""
        if torch.is_grad_enabled() or len(self._steps) >= _MOST_STEPS:
            return
        place = self._known.get(module)
        if place is None:
            shapes = _shapes(module)
            place = next((n for n, one in enumerate(self._shapes) if one and one == shapes), -1)
            self._known[module] = place
        if place < 0:
            return
        if module not in self._began and (began := _sample(module)) is not None:
            self._began[module] = began
            self._note_line()
        self._steps[step] = self._steps.get(step, 0) + 1
        if self._steps[step] == 1:
            self._measure(module, place, step)

    def end(self, step: int) -> None:
        """The training is over: whether a copy that took part in it is still what it was."""
        steps = list(self._steps)
        if len(steps) < _FEWEST_STEPS or len(steps) <= _OFTEN * (steps[-1] - steps[0] + 1):
            return
        for module, began in self._began.items():
            now, own = _sample(module), _sample(self._roots[self._known[module]])
            if now is not None and own is not None and torch.equal(began, now) and not torch.equal(own, now):
                found = self._measured.averaged = self._measured.averaged or Averaged(step)
                found.frozen = step - steps[0]

    def trained(self) -> None:
        """A measured step of the training is over."""
        self._trained = [_sample(root) for root in self._roots]

    def evaluated(self, module: nn.Module, step: int) -> None:
        """The net itself is evaluated: with other weights than it was trained to, where an average was put into it."""
        place = next((n for n, root in enumerate(self._roots) if root is module), -1)
        now = self._trained[place] if 0 <= place < len(self._trained) else None
        if now is None or step in self._evaluated or len(self._evaluated) >= _MOST_STEPS or torch.is_grad_enabled():
            return
        copied, first = _sample(module), self._first[place]
        lag = _lag(copied, now, first) if copied is not None and first is not None else None
        self._evaluated[step] = lag is not None and lag > _EXCHANGED
        if lag is not None and list(self._evaluated.values())[-2:] == [True, True]:
            self._measured.averaged = Averaged(step, sum(self._evaluated.values()), lag)

    def _measure(self, module: nn.Module, place: int, step: int) -> None:
        copied, now, first = _sample(module), _sample(self._roots[place]), self._first[place]
        if copied is None or now is None or first is None:
            return
        kept = _lag(copied, now, first)
        if kept is None:
            return
        away = _away(copied, now, first)
        found = self._measured.averaged or Averaged(step)
        found.step, found.calls = step, len(self._steps)
        found.kind = type(module).__name__ if _AVERAGES.search(type(module).__name__) else found.kind
        self._note_line()
        if not module.training:
            self._compare_statistics(found, module, copied, place)
        elif drops_by_layers(module) or _normalises_by_batch(module):
            found.training += 1
        found.kept, found.away = kept, away
        steps = list(self._steps)
        span = steps[-1] - steps[0] + 1
        if len(steps) > 4 and len(steps) > _OFTEN * span:
            found.kept = float("nan")
        self._measured.averaged = found

    def _compare_statistics(self, found: Averaged, module: nn.Module, weights: torch.Tensor, place: int) -> None:
        """Whether the copy normalises by what it did before, or at first, while its weights and the net moved on."""
        own, now, then = _statistics(module), _statistics(self._roots[place]), self._statistics[place]
        if own is None or now is None or then is None or not own.shape == now.shape == then.shape:
            return
        others, before = self._kept.get(place, (None, then))
        self._kept[place] = weights, own
        if not torch.equal(own, before):
            found.stale = found.stale_since = 0
            self._statistics[place] = now
        elif (others is None or not torch.equal(weights, others)) and _far(then, now):
            found.stale += 1
            found.stale_since = found.stale_since or found.step

    def _note_line(self) -> None:
        line = calling_line() if "averaged" not in self._measured.lines else None
        if line is not None:
            self._measured.lines["averaged"] = line


def _lag(copied: torch.Tensor, now: torch.Tensor, first: torch.Tensor) -> float | None:
    """By how much of the way from the first weights to those of now a copy lags behind; NaN where it lies beside that
    way. None where there is no way, or the copy is one of the first weights, kept on purpose."""
    way, gone = now - first, copied - first
    length = float(way.norm())
    if not length or not bool(gone.any()):
        return None
    along = float(gone @ way) / length**2
    beside = float((gone - along * way).norm()) / length
    return 1 - along if beside < 0.5 and 0 <= along <= 1.5 else float("nan")


def _away(copied: torch.Tensor, now: torch.Tensor, first: torch.Tensor) -> float:
    """How far a copy has gone from the first weights in the direction that leads away from those of now, over the way
    to these; 0 where it has gone elsewhere."""
    way, gone = now - first, copied - first
    length, size = float(way.norm()), float(gone.norm())
    along = float(gone @ way)
    return -along / length**2 if length and size and along < -_STRAIGHT * length * size else 0.0


def _far(then: torch.Tensor, now: torch.Tensor) -> bool:
    return float((now - then).norm()) > _MOVED * float(then.norm())


def _statistics(module: nn.Module) -> torch.Tensor | None:
    """What its batch normalisations have gathered; None where there are none."""
    kept = [
        one for norm in module.modules() if isinstance(norm, BATCH_NORMS)
        for one in (norm.running_mean, norm.running_var) if one is not None and not unreadable(one)
    ]  # fmt: skip
    parts = [one.detach().flatten()[:_NUMBERS].double() for one in kept[: 2 * _TENSORS]]
    return torch.cat(parts).clone() if parts else None


def _normalises_by_batch(module: nn.Module) -> bool:
    return any(one.training for one in module.modules() if isinstance(one, BATCH_NORMS))


def _shapes(module: nn.Module) -> tuple[torch.Size, ...]:
    if any(is_unmade(one) for one in module.parameters()):
        return ()
    return tuple(one.shape for one in module.parameters())


def _sample(module: nn.Module) -> torch.Tensor | None:
    parameters = list(module.parameters())
    if any(map(unreadable, parameters)):
        return None
    parameters = [one for one in parameters if one.dim() > 1] or parameters
    chosen = parameters[:: max(1, len(parameters) // _TENSORS)][:_TENSORS]
    if not chosen:
        return None
    parts = [one.detach().flatten()[:: max(1, one.numel() // _NUMBERS)][:_NUMBERS] for one in chosen]
    return torch.cat([part.float() for part in parts])
