"""The processes of one training, as those who compute need them: sums, rows and words, in one order everywhere."""

import contextlib
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from danlu.base.errors import DanluError, Fault
from danlu.base.places import Launched, stay_on_this_machine
from danlu.base.strict_json import from_exact_json, to_exact_json

_PATIENCE = timedelta(hours=12)  # the others wait while one validates; a process that dies is noticed at once


class ProcessLostError(DanluError):
    """Another process of the training has ended, so that this one cannot go on."""


class TrainingGroup(Protocol):
    """Who shares a training; every call is made by all of them, in the same order."""

    rank: int
    world: int

    def add(self, tensor: Tensor) -> Tensor:
        """The sum of what all gave, of the same shape, in the memory of `tensor`; the same bits everywhere."""
        ...

    def rows(self, tensor: Tensor) -> Tensor:
        """What each gave, [world, …], in the order of their ranks."""
        ...

    def from_first(self, tensor: Tensor) -> Tensor:
        """What the process of rank 0 gave, in the memory of `tensor`."""
        ...


class Alone:
    """The group of a training in one process.

    >>> Alone().rows(torch.ones(2))
    tensor([[1., 1.]])
    """

    rank, world = 0, 1

    def add(self, tensor: Tensor) -> Tensor:
        return tensor

    def rows(self, tensor: Tensor) -> Tensor:
        return tensor[None]

    def from_first(self, tensor: Tensor) -> Tensor:
        return tensor


class Joined:
    """The default group of torch.distributed. ProcessLostError where one of its processes has ended."""

    def __init__(self) -> None:
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        # NCCL, which a program of the user's may have chosen, carries nothing that lies on the CPU.
        self._words = dist.new_group(backend="gloo") if dist.get_backend() == "nccl" else None

    def _of(self, tensor: Tensor) -> Any:
        return self._words if tensor.device.type == "cpu" else None

    def add(self, tensor: Tensor) -> Tensor:
        with _noticing_losses():
            dist.all_reduce(tensor, group=self._of(tensor))
        return tensor

    def rows(self, tensor: Tensor) -> Tensor:
        rows = [torch.empty_like(tensor) for _ in range(self.world)]
        with _noticing_losses():
            dist.all_gather(rows, tensor, group=self._of(tensor))
        return torch.stack(rows)

    def from_first(self, tensor: Tensor) -> Tensor:
        with _noticing_losses():
            dist.broadcast(tensor, 0, group=self._of(tensor))
        return tensor


@contextlib.contextmanager
def joined(own: Launched | None, backend: str = "gloo") -> Generator[TrainingGroup]:
    """The group of the processes that were started together, until the block is left; one that stands is used.

    `own` says who this process is; None: it is alone.
    """
    if dist.is_available() and dist.is_initialized():
        yield Joined()
        return
    if own is None or own.world == 1:
        yield Alone()
        return
    if own.on_this_machine == own.world:
        stay_on_this_machine()
    with _noticing_losses():
        dist.init_process_group(
            backend, init_method=_meeting(own), rank=own.rank, world_size=own.world, timeout=_PATIENCE
        )
    try:
        yield Joined()
    finally:
        dist.destroy_process_group()


def tell(group: TrainingGroup, words: Any) -> Any:
    """What the process of rank 0 says, plain values as JSON has them; the others' `words` do not count.

    >>> tell(Alone(), {"loss": 0.5})
    {'loss': 0.5}
    """
    if group.world == 1:
        return words
    said = to_exact_json(words).encode() if group.rank == 0 else b""
    return from_exact_json(tell_bytes(group, said).decode())


def tell_bytes(group: TrainingGroup, said: bytes) -> bytes:
    """The bytes that the process of rank 0 says."""
    length = int(group.from_first(torch.tensor([len(said)])).item())
    content = bytearray(said) if group.rank == 0 else bytearray(length)
    if not length:
        return b""
    tensor = torch.frombuffer(content, dtype=torch.uint8)
    return group.from_first(tensor).numpy().tobytes()


def hear_all(group: TrainingGroup, words: Any) -> list[Any]:
    """What each process says, in the order of their ranks.

    >>> hear_all(Alone(), ["nothing"])
    [['nothing']]
    """
    if group.world == 1:
        return [words]
    said = to_exact_json(words).encode()
    lengths = group.rows(torch.tensor([len(said)])).flatten().tolist()
    row = torch.zeros(max(lengths), dtype=torch.uint8)
    row[: len(said)] = torch.frombuffer(bytearray(said), dtype=torch.uint8)
    rows = group.rows(row).numpy()
    return [from_exact_json(rows[place][:length].tobytes().decode()) for place, length in enumerate(lengths)]


def _meeting(own: Launched) -> str:
    """Where the processes find each other; a restart must not find what its forerunner left."""
    return "env://" if own.rendezvous is None else _file_address(own.rendezvous / f"group-{own.restarts}")


def _file_address(path: Path) -> str:
    return path.absolute().as_uri()


@contextlib.contextmanager
def _noticing_losses() -> Generator[None]:
    try:
        yield
    except (RuntimeError, dist.DistError) as error:
        raise ProcessLostError(Fault("processes.lost")) from error
