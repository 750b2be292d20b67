"""What the journal of a run that trains another further begins with: the other's course, for one tells all of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from danlu.store.journal import read
from danlu.store.records import (
    CheckpointSaved,
    MalformedRecordError,
    PredictionsMade,
    RunEnded,
    RunStarted,
    RunStopped,
    SurfaceMeasured,
)

_LEFT = {kind.kind for kind in (RunStarted, RunStopped, RunEnded, CheckpointSaved, PredictionsMade, SurfaceMeasured)}
"""What tells of the other's folder, of its end, or of the weights it ended with."""


def taken_over(journal: Path, started: RunStarted, step: int) -> Iterator[Mapping[str, Any]]:
    """The objects to begin a journal with: `started`, the course that `journal` tells, and the checkpoint of `step`.

    What was loaded before the other's first step counts on. UserError where its journal cannot be read.
    """
    yield replace(started, loading=_loading(journal)).to_json()
    yield from (entry for entry in read(journal) if entry.get("kind") not in _LEFT)
    yield CheckpointSaved(step=step).to_json()


def _loading(journal: Path) -> float:
    for entry in read(journal):
        if entry.get("kind") == RunStarted.kind:
            try:
                return RunStarted.from_json(entry).loading
            except MalformedRecordError:
                break
    return 0.0
