"""Every training of a process, without a word in its code: whichever optimizer steps is watched, with the models whose
parameters it holds."""

import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils.data import DataLoader

from danlu.base.records import CodeLine
from danlu.watch.attach import Watch, is_watched
from danlu.watch.frames import calling_line
from danlu.watch.holders import models_of, named, tensors_of
from danlu.watch.patches import Patches
from danlu.watch.probes.optimisers import parameters_of
from danlu.watch.sites import making_line

_BACKWARD = "_engine_run_backward"  # of torch.autograd: what all backward passes go through

Begin = Callable[[Mapping[str, nn.Module], Sequence[Any]], Watch]


class Everywhere:
    """While its block runs, every training is watched by a Watch that `begin` makes of models and optimizers.

    A training begins with the first call of a module that holds parameters of an optimizer which no training had so
    far; it ends where the next one begins, or with the block. Optimizers made anew for the same parameters go on with
    it. Where no such module is called, for it is asked by another method or the parameters are tensors by themselves,
    the first training begins with the backward pass after an optimizer's first step. Where somebody watches already
    (`danlu.watch`, `danlu.fit`) nothing is begun. Nothing that fails here is raised.

    >>> with Everywhere(lambda models, optimizers: Watch(models, optimizers, shown=False)) as everywhere:
    ...     net = nn.Linear(4, 1)
    ...     sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    ...     for _ in range(5):
    ...         net(torch.ones(2, 4)).mean().backward()
    ...         sgd.step()
    >>> len(everywhere.watches), everywhere.steps
    (1, 5)
    """

    def __init__(self, begin: Begin, ended: Callable[[Watch], None] = lambda watch: None) -> None:
        self._make = begin
        self._ended = ended
        self.watches: list[Watch] = []  # of all trainings, the newest last
        self.steps = 0  # of any optimizer, watched or not
        self._current: Watch | None = None
        self._optimizers: list[weakref.ref[Any]] = []  # all that are known
        self._served: dict[int, weakref.ref[Any]] = {}  # those of this training and of earlier ones, by id
        self._now: set[int] = set()  # ids of those of this training
        self._unheard: weakref.WeakSet[Any] = weakref.WeakSet()  # that step, and no module that holds theirs is called
        self._covered: set[int] = set()  # ids of the parameters of this training's models
        self._lines: weakref.WeakKeyDictionary[Any, CodeLine] = weakref.WeakKeyDictionary()
        self._loader: tuple[CodeLine | None, weakref.ref[Any]] | None = None  # the newest that was begun before
        self._patches, self._calls = Patches(), Patches()
        self._inside = self._on = False
        self._thread = 0
        self._handle: Any = None

    def __enter__(self) -> Self:
        self._on, self._thread = True, threading.get_ident()
        self._patches.replace(torch.optim.Optimizer, "__init__", self._making)
        self._patches.replace(DataLoader, "__iter__", self._iterating)
        self._handle = register_optimizer_step_pre_hook(self._stepping)
        _RUNNING.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on:
            self._end_training(kind, error, trace)
            self._leave()

    def abandon(self) -> None:
        """Put everything back without a word: in a process just forked."""
        if self._on:
            if self._current is not None:
                self._current.abandon()
            self._current = None
            self._leave()

    def _leave(self) -> None:
        self._on = False
        self._handle.remove()
        self._calls.restore()
        self._patches.restore()

    def _making(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def observed(optimizer: Any, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            if self._on:
                _quietly(self._made, optimizer)

        return observed

    def _made(self, optimizer: Any) -> None:
        self._optimizers.append(weakref.ref(optimizer))
        line = making_line(optimizer)
        if line is not None:
            self._lines[optimizer] = line
        if all(id(one) in self._covered for one in parameters_of(optimizer)):
            self._take_in(optimizer)
        else:
            self._wait()

    def _iterating(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def observed(loader: Any) -> Any:
            if self._on and self._waiting():
                _quietly(self._begun, loader)
            return original(loader)

        return observed

    def _begun(self, loader: Any) -> None:
        self._loader = calling_line(), weakref.ref(loader)

    def _stepping(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        self.steps += 1
        if id(optimizer) not in self._now:
            _quietly(self._meet, optimizer)

    def _meet(self, optimizer: Any) -> None:
        """An optimizer steps that is none of this training: one that was made before the block, that wraps another or
        was copied from one, or that takes turns with this training's."""
        if is_watched() and self._current is None:
            return
        if self._current is not None and all(id(one) in self._covered for one in parameters_of(optimizer)):
            self._take_in(optimizer)
            return
        if not any(one() is optimizer for one in self._optimizers):
            self._optimizers.append(weakref.ref(optimizer))
        if self._served.pop(id(optimizer), None) is not None:
            for key in self._now:
                self._served.pop(key, None)
        self._unheard.add(optimizer)
        self._wait()

    def _take_in(self, optimizer: Any) -> None:
        self._served[id(optimizer)] = weakref.ref(optimizer)
        self._now.add(id(optimizer))

    def _wait(self) -> None:
        """Hear of calls of modules, until one of them begins a training."""
        self._calls.restore()
        self._calls.replace(nn.Module, "__call__", self._calling)
        if self._unheard and self._current is None:
            self._calls.replace(torch.autograd, _BACKWARD, self._going_back)

    def _going_back(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def observed(*args: Any, **kwargs: Any) -> Any:
            if not self._on or not self._unheard or threading.get_ident() != self._thread:
                return original(*args, **kwargs)
            self._unheard.clear()
            _quietly(self._begin, None, self._waiting())
            return getattr(torch.autograd, _BACKWARD)(*args, **kwargs)  # which the training's watch hears

        return observed

    def _calling(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def observed(*args: Any, **kwargs: Any) -> Any:
            if self._inside or not self._on or not args or threading.get_ident() != self._thread:
                return original(*args, **kwargs)
            if not torch.is_grad_enabled() or torch.compiler.is_compiling():
                return original(*args, **kwargs)
            self._inside = True
            try:
                _quietly(self._called, args[0])
                return original(*args, **kwargs)
            finally:
                self._inside = False

        return observed

    def _waiting(self) -> list[Any]:
        """The optimizers that live and belong to no training so far."""
        alive = [one() for one in self._optimizers]
        self._optimizers = [one for one, there in zip(self._optimizers, alive, strict=True) if there is not None]
        return [one for one in alive if one is not None and not self._is_served(one)]

    def _is_served(self, optimizer: Any) -> bool:
        known = self._served.get(id(optimizer))
        return known is not None and known() is optimizer

    def _called(self, module: nn.Module) -> None:
        waiting = self._waiting()
        wanted = {id(one) for optimizer in waiting for one in parameters_of(optimizer)}
        if any(id(one) in wanted for one in module.parameters()):
            self._begin(module, waiting)

    def _begin(self, module: nn.Module | None, optimizers: Sequence[Any]) -> None:
        if self._current is None and is_watched():
            return
        self._end_training(None, None, None)
        self._calls.restore()
        models = models_of(optimizers, module)
        if module is None:
            models += tensors_of(optimizers, models)
        self._unheard.clear()
        self._now = set()
        for one in optimizers:
            self._take_in(one)
        if not models:
            return
        self._covered = {id(one) for model in models for one in model.parameters()}
        watch = self._current = self._make(named(models), optimizers)
        self.watches.append(watch)
        watch.__enter__()
        watch.knows({one: self._lines[one] for one in optimizers if one in self._lines}, self._loader)

    def _end_training(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        watch, self._current = self._current, None
        if watch is not None:
            watch.__exit__(kind, error, trace)
            self._covered = set()
            self._ended(watch)


def _quietly(call: Callable[..., Any], *args: Any) -> None:
    try:
        call(*args)
    except Exception:  # noqa: BLE001 - who watches somebody's program must not end it; the training is not watched then
        return


_RUNNING: weakref.WeakSet[Everywhere] = weakref.WeakSet()


def _forked() -> None:
    """The training of a process is watched in that process: not in the workers of its loaders."""
    for one in list(_RUNNING):
        one.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
