"""The tasks that need memory, on which the claims on recurrent nets are tested beside the recall task."""

from collections.abc import Mapping, Sequence
from typing import Any

from danlu.claims.adding import adding
from danlu.claims.task import Task
from danlu.claims.time_machine import time_machine
from danlu.claims.training import LOSS, R2
from danlu.data import Dataset

ADDING_STEPS = 15


def adding_problem(place: str) -> Dataset:
    """The same at every place."""
    return adding(ADDING_STEPS, 1000)


def the_time_machine(place: str) -> Dataset:
    """The same at every place."""
    return time_machine()


def memory_tasks(
    cell: str, settings: Mapping[str, Any], *, epochs: int, rates: Sequence[float], text_rates: Sequence[float]
) -> dict[str, Task]:
    """The adding problem (R²) and the beginning of The Time Machine (nats a character) for nets with this `cell`;
    `rates` and `text_rates` are where the search for the learning rate begins."""
    windows = {**settings, "net.hidden": 24, "net.engine": "own", "train.batch_size": 32, "train.epochs": epochs}
    text = {
        **settings, "net.cell": cell, "net.hidden": 32, "net.embedding": 16, "train.batch_size": 32, "train.epochs": 4,
    }  # fmt: skip
    return {
        "adding": Task(cell, adding_problem, windows, R2, rates),
        "The Time Machine": Task("language-model", the_time_machine, text, LOSS, text_rates),
    }
