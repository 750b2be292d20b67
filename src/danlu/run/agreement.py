"""What the processes of one training tell each other besides gradients: where it stands, when it ends, its scores."""

import contextlib
from collections.abc import Callable, Generator, Sequence
from typing import Any

import torch

from danlu.base.errors import Fault, UserError
from danlu.base.events import EpochDone, Event, Listener, StepDone, Stop
from danlu.base.records import Score
from danlu.train.distributed.engine import SharedEngine
from danlu.train.distributed.group import TrainingGroup, hear_all, tell, tell_bytes
from danlu.train.distributed.sharded import ShardedEngine
from danlu.train.engine import Engine
from danlu.train.loop import Evaluate
from danlu.train.progress import Progress
from danlu.train.tensor_file import pack, unpack
from danlu.train.tree import flatten_parts, restore_parts

_REASONS = ("", "early", "asked", "interrupted")  # the later ones win

Told = Callable[[int, Sequence[Sequence[float]]], None]
"""Hears of a measured step, by its number, what each process saw of it: loss, norm of the gradient, seconds."""


class Agreement:
    """A listener that asks its own `listeners`, and has all processes end after the same step.

    With that goes what each process alone saw, on measured steps, which `told` hears.
    """

    def __init__(
        self, group: TrainingGroup, engine: Engine, listeners: Sequence[Listener], told: Told | None = None
    ) -> None:
        self._group = group
        self._engine = engine
        self._listeners = listeners
        self._told = told

    def __call__(self, event: Event) -> Stop | None:
        verdict: Stop | None = None
        for listener in self._listeners:
            verdict = listener(event) or verdict
        if not isinstance(event, StepDone | EpochDone):
            return verdict
        own = _REASONS.index(verdict.reason) if verdict else 0
        seen = self._engine.seen if isinstance(self._engine, SharedEngine) and isinstance(event, StepDone) else None
        rows = self._group.rows(torch.tensor([own, *(seen or ())], dtype=torch.float64)).tolist()
        if seen and self._told:
            self._told(event.step, [row[1:] for row in rows])
        most = int(max(row[0] for row in rows))
        return verdict if most == own else Stop(_REASONS[most])


def agreed(
    group: TrainingGroup, engine: Engine, listeners: Sequence[Listener], told: Told | None = None
) -> Sequence[Listener]:
    """The listeners, so that all processes end together; of one process they are as they were."""
    return listeners if group.world == 1 else [Agreement(group, engine, listeners, told)]


def share_state(group: TrainingGroup, engine: Engine, progress: Progress) -> None:
    """All processes stand where the first one does, in the net's weights and in all else that a checkpoint holds; of a
    sharded training each holds its part alone from here on.
    """
    if group.world == 1:
        return
    if isinstance(engine, ShardedEngine):
        engine.shard()
        words = tell(group, {"step": engine.state(), "progress": progress.state()})
        if group.rank:
            engine.load_state(words["step"])
            progress.load_state(words["progress"])
        return
    trees, tensors = flatten_parts(engine.tensors())
    packed = {name: pack(part) for name, part in tensors.items()}
    notes = {name: note for name, (_, note) in packed.items()}
    words = {"trees": trees, "notes": notes, "step": engine.state(), "progress": progress.state()}
    words = tell(group, words)
    contents = {name: tell_bytes(group, packed[name][0] if name in packed else b"") for name in words["notes"]}
    if group.rank:
        parts = {name: unpack(content, words["notes"][name]) for name, content in contents.items()}
        engine.load_tensors(restore_parts(words["trees"], parts))
        engine.load_state(words["step"])
        progress.load_state(words["progress"])


def share_weights(group: TrainingGroup, net: torch.nn.Module) -> None:
    """All processes' nets have the weights of the first one's."""
    if group.world == 1:
        return
    content, note = pack(net.state_dict())
    note = tell(group, note)
    content = tell_bytes(group, content)
    if group.rank:
        net.load_state_dict(unpack(content, note))


def scored_by_first(group: TrainingGroup, score: Evaluate[Score], engine: Engine) -> Evaluate[Score]:
    """What `score` gives in the first process, for all of them: each metric then sees all samples, in their order.

    The others score nothing, but where they hold a part of the net.
    """
    by_all = isinstance(engine, ShardedEngine)

    def scored() -> Score | Stop | None:
        found = score() if by_all or group.rank == 0 else None
        words: Any = found
        if group.world > 1:
            words = {"stop": found.reason} if isinstance(found, Stop) else {"score": found}
            words = tell(group, words)
            return Stop(words["stop"]) if "stop" in words else words["score"]
        return words

    return scored


@contextlib.contextmanager
def together(group: TrainingGroup) -> Generator[None]:
    """Around what each process does by itself before the first step: where it fails in one of them, all raise its
    UserError.
    """
    faults: tuple[Fault, ...] = ()
    if group.world == 1:
        yield
        return
    try:
        yield
    except UserError as error:
        faults = error.faults
    told = hear_all(group, [str(fault) for fault in faults])
    if faults:
        raise UserError(*faults)
    others = [
        Fault("processes.other-process", {"rank": rank, "what": what})
        for rank, all_of in enumerate(told)
        for what in all_of
    ]
    if others:
        raise UserError(*others)
