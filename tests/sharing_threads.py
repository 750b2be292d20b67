"""Processes that share a training, as threads of one: each group's calls wait for each other, as gloo's do."""

import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

SECONDS = 60  # nobody waits longer for the others


class Meeting:
    """What `world` threads lay down for each other, one call after the other."""

    def __init__(self, world: int) -> None:
        self.barrier = threading.Barrier(world, timeout=SECONDS)
        self.given: list[Tensor] = [torch.empty(0)] * world


class ThreadGroup:
    """The group of one thread."""

    def __init__(self, rank: int, meeting: Meeting) -> None:
        self.rank, self.world = rank, len(meeting.given)
        self._meeting = meeting

    def rows(self, tensor: Tensor) -> Tensor:
        self._meeting.given[self.rank] = tensor.detach().clone()
        self._meeting.barrier.wait()
        rows = torch.stack(self._meeting.given)
        self._meeting.barrier.wait()
        return rows

    def add(self, tensor: Tensor) -> Tensor:
        return tensor.copy_(self.rows(tensor).sum(0))

    def from_first(self, tensor: Tensor) -> Tensor:
        return tensor.copy_(self.rows(tensor)[0])


def in_threads(world: int, work: Callable[[ThreadGroup], Any]) -> list[Any]:
    """What `work` gives in each of so many threads that share a group; the first error of any of them."""
    meeting = Meeting(world)
    found: list[Any] = [None] * world
    errors: list[BaseException] = []

    def one(rank: int) -> None:
        try:
            found[rank] = work(ThreadGroup(rank, meeting))
        except BaseException as error:  # noqa: BLE001 - handed on below
            errors.append(error)
            meeting.barrier.abort()

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(world)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return found
