"""The tasks that need memory, on which the claims on recurrent nets are tested beside the recall task."""

from collections.abc import Mapping, Sequence
from typing import Any

from danlu.claims.adding import adding
from danlu.claims.claim_task import ClaimTask
from danlu.claims.time_machine import time_machine
from danlu.claims.training import LOSS, R2
from danlu.data import Dataset


def adding_for_lstm(place: str) -> Dataset:
    """Rows that an LSTM learns to add in some epochs."""
    return adding(15, 1000)


def adding_for_rnn(place: str) -> Dataset:
    """Shorter rows: of more than some ten steps a plain recurrent net learns the mean of the sums, and no more."""
    return adding(8, 1000)


_ADDING = {"lstm": adding_for_lstm, "rnn": adding_for_rnn}


def the_time_machine(place: str) -> Dataset:
    """The same at every place."""
    return time_machine()


def memory_tasks(
    cell: str, settings: Mapping[str, Any], *, rates: Sequence[float], text_rates: Sequence[float]
) -> dict[str, ClaimTask]:
    """The adding problem (R²) and the beginning of The Time Machine (nats a character) for nets with this `cell`;
    `rates` and `text_rates` are where the search for the learning rate begins."""
    windows = {**settings, "net.hidden": 24, "net.engine": "own", "train.batch_size": 32, "train.epochs": 10}
    text = {
        **settings, "net.cell": cell, "net.hidden": 32, "net.embedding": 16, "train.batch_size": 32, "train.epochs": 4,
    }  # fmt: skip
    return {
        "adding": ClaimTask(cell, _ADDING[cell], windows, R2, rates),
        "The Time Machine": ClaimTask("language-model", the_time_machine, text, LOSS, text_rates),
    }
