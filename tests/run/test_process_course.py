"""What is told of processes that are amiss, from numbers made by hand."""

import math
from typing import Any

import pytest

from danlu.base.errors import Fault
from danlu.run.listeners.process_course import ProcessCourse
from danlu.store.records import ProcessesMeasured

FINE = (0.5, 1.0, 0.1)
BROKEN = (math.nan, 1.0, 0.1)
ENDLESS = (0.5, math.inf, 0.1)
SLOW = (0.5, 1.0, 0.25)
SHORT = (0.5, 1.0, 0.0001)
A_BIT = (0.5, 1.0, 0.009)


class Journal:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.records: list[ProcessesMeasured] = []

    def write(self, record: Any) -> None:
        self.records.append(record)


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([[FINE, FINE]] * 9, []),
        ([[FINE, BROKEN]] * 9, [("processes.not-finite", 1)]),
        ([[ENDLESS, FINE, FINE]] * 3, [("processes.not-finite", 0)]),
        ([[BROKEN, BROKEN]] * 9, []),  # the training diverged, and no process is the culprit
        ([[FINE, SLOW]] * 3, []),
        ([[FINE, SLOW]] * 9, [("processes.lags", 1)]),
        ([[FINE, SLOW], [FINE, SLOW], [FINE, SLOW], [FINE, FINE]] * 4, []),
        ([[SLOW, FINE, FINE]] * 4, [("processes.lags", 0)]),
        ([[SHORT, A_BIT]] * 9, []),  # nobody waits for that
    ],
)
def test_what_is_told(steps: Any, told: list[tuple[str, int]]) -> None:
    notes: list[Fault] = []
    journal: Any = Journal()
    course = ProcessCourse(journal, notes.append)
    for step, seen in enumerate(steps):
        course(step, seen)
    assert [(note.id, note.values["rank"]) for note in notes] == told
    assert all(str(note) for note in notes)
    assert [record.step for record in journal.records] == list(range(len(steps)))


def test_numbers_that_are_not_finite_are_null() -> None:
    journal: Any = Journal()
    ProcessCourse(journal, lambda note: None)(3, [FINE, BROKEN])
    assert journal.records == [ProcessesMeasured(step=3, loss=[0.5, None], norm=[1.0, 1.0], seconds=[0.1, 0.1])]
