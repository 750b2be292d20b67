"""What the journal of a run that trains another further begins with: the other's course, for one tells all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from danlu.store.journal import read
from danlu.store.records import (
    CheckpointSaved,
    ForecastMade,
    MalformedRecordError,
    PredictionsMade,
    Record,
    RunEnded,
    RunStarted,
    RunStopped,
    SurfaceMeasured,
    record_of,
)

_LEFT = (RunStarted, RunStopped, RunEnded, CheckpointSaved, PredictionsMade, ForecastMade, SurfaceMeasured)
"""What tells of the other's folder, of its end, or of the weights it ended with."""


def taken_over(journal: Path, started: RunStarted, step: int) -> Iterator[Mapping[str, Any]]:
    """The objects to begin a journal with: `started`, the course that `journal` tells, and the checkpoint of `step`.

    What was loaded before the other's first step counts on. UserError where its journal cannot be read.
    """
    first = next((record for _, record in _records(journal) if isinstance(record, RunStarted)), started)
    yield replace(started, loading=first.loading).to_json()
    yield from (entry for entry, record in _records(journal) if not isinstance(record, _LEFT))
    yield CheckpointSaved(step=step).to_json()


def _records(journal: Path) -> Iterator[tuple[Mapping[str, Any], Record | None]]:
    """Each object with the record that it is, None for those of a later danlu; what is damaged is passed over."""
    for entry in read(journal):
        try:
            yield entry, record_of(entry)
        except MalformedRecordError:
            continue
