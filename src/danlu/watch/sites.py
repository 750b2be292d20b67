"""Which lines of the user's code call what: noted in the first steps, looked up when something is found."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import DataLoader

from danlu.base.records import CodeLine
from danlu.watch.frames import calling_line, lines_under_way
from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.patches import Patches

_FIRST = 3  # steps whose calls are looked up; they are measured, whatever the training
_MOST_LOSSES = 48


def making_line(optimizer: Any) -> CodeLine | None:
    """The line that makes an optimiser, seen from within its constructor."""
    return calling_line({f"{kind.__qualname__}.__init__" for kind in type(optimizer).__mro__})


class Sites:
    """Notes lines into `measured`. What was noted once is not looked up again after the first steps: from then on the
    frames of the user's code are left alone. Before `listen` nothing is noted at all.
    """

    def __init__(self, measured: Measured, guard: Guard) -> None:
        self._measured = measured
        self._guard = guard
        self._on = False
        self._losses: list[tuple[Any, CodeLine]] = []  # of this step: node of the graph, and the call that made it
        self._looked_up = 0  # losses
        self._heads: dict[Any, CodeLine] = {}
        self._made: weakref.WeakKeyDictionary[Any, CodeLine] = weakref.WeakKeyDictionary()
        self.loader: Any = None  # the one that the user named
        self._iterated: tuple[CodeLine, str] | None = None  # the newest loader that was begun, and its class
        self.under_way: list[CodeLine] = []  # the calls in which the block was entered, the innermost first

    def note(self, what: str, step: int) -> None:
        """The user's code calls `what` in that step: "forward", "evaluation", "loss", "backward", "clip" …"""
        if not self._on or (step > _FIRST and what in self._measured.lines):
            return
        line = calling_line()
        if line is None:
            return
        if what == "forward" and self._iterated and (what not in self._measured.lines or self.loader is not None):
            self._measured.lines["loader"], self._measured.loader_kind = self._iterated
        self._measured.lines[what] = line

    def note_loss(self, result: torch.Tensor, step: int) -> None:
        """A loss function of torch has answered in training."""
        if not self._on or (step > _FIRST and self._looked_up) or self._looked_up >= _MOST_LOSSES:
            return
        self._looked_up += 1
        line = calling_line()
        if line is not None:
            self._measured.lines.setdefault("loss", line)
            self._losses.append((result.grad_fn, line))

    def head(self, key: Any, *nodes: Any) -> CodeLine | None:
        """The line of the loss whose call made one of these nodes of the graph; it is kept by `key` for later steps."""
        found = next((line for made, line in self._losses if any(made is node for node in nodes)), None)
        return self._heads.setdefault(key, found) if found is not None else self._heads.get(key)

    def note_step(self, record: Optimiser, optimizer: Any, step: int) -> None:
        """An optimiser is about to step."""
        if not self._on or (step > _FIRST and record.stepped_at is not None):
            return
        record.stepped_at = calling_line() or record.stepped_at
        record.backward_at = self._measured.lines.get("backward")
        record.made_at = self._made.get(optimizer)

    def end_step(self) -> None:
        """The step is over: its graph is not held any longer."""
        self._losses.clear()

    def listen(self, patches: Patches) -> None:
        """Begin; until `patches` are restored, also where optimisers are made and loaders begun is noted."""
        self._on = True
        self.under_way = lines_under_way()
        patches.replace(torch.optim.Optimizer, "__init__", self._making)
        patches.replace(DataLoader, "__iter__", self._iterating)

    def _making(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def observed(optimizer: Any, *args: Any, **kwargs: Any) -> None:
            original(optimizer, *args, **kwargs)
            self._guard(self._note_made, optimizer)

        return observed

    def _note_made(self, optimizer: Any) -> None:
        self.made(optimizer, making_line(optimizer))

    def made(self, optimizer: Any, line: CodeLine | None) -> None:
        """An optimiser was made in that line."""
        if line is not None:
            self._made[optimizer] = line

    def begun(self, line: CodeLine, kind: str) -> None:
        """A loader of the class `kind` was begun in that line before anything was watched."""
        self._iterated = line, kind

    def _iterating(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def observed(loader: Any) -> Any:
            if "loader" not in self._measured.lines and (self.loader is None or self.loader is loader):
                self._guard(self._note_begun, loader)
            return original(loader)

        return observed

    def _note_begun(self, loader: Any) -> None:
        line = calling_line()
        if line is not None:
            self._iterated = line, type(loader).__name__
        size = getattr(loader, "batch_size", None)
        self._measured.loader_batch = size if isinstance(size, int) else 0
