"""All kinds of records by their words."""

from collections.abc import Mapping
from typing import Any

from danlu.base.strict_json import to_json
from danlu.store.records import forecast, moments, run, seen, study
from danlu.store.records.reading import MalformedRecordError
from danlu.store.records.record import Record

KINDS: Mapping[str, type[Record]] = {
    one.kind: one
    for one in (
        run.RunStarted, run.RunResumed, run.StepsTaken, run.EpochEnded, run.MicroBatchChosen, run.CheckpointSaved,
        seen.FindingAppeared, seen.FindingsStood, seen.LayersMeasured, seen.ProcessesMeasured, seen.NetDrawn,
        seen.SurfaceMeasured, seen.PredictionsMade, forecast.ForecastMade, seen.TextGenerated,
        moments.TimeSpent, moments.SamplesFollowed, moments.MomentTaken, moments.SamplesPictured, run.RunStopped,
        run.RunEnded,
        study.StudyBegan, study.ChoicesMade,
        study.StackBegan, study.MemberEpochs, study.MemberDone, study.MemberFailed, study.TrainingsDone,
        study.StudyLooked, study.BaselineDone, study.BestChosen, study.RoundBegan, study.RoundDone, study.NothingFound,
    )
}  # fmt: skip


def line_start(kind: type[Record]) -> bytes:
    """How a line of that kind begins, as danlu writes it: by it such lines are found without reading the others.

    >>> line_start(run.RunResumed)
    b'{"kind": "resume"'
    """
    return to_json({"kind": kind.kind})[:-1].encode()


def record_of(entry: Mapping[str, Any]) -> Record | None:
    """The record that an object of a journal is; None where its kind is one that this danlu does not know.

    MalformedRecordError where the object is not what its kind must be.

    >>> record_of({"kind": "checkpoint", "step": 100}), record_of({"kind": "of tomorrow"})
    (CheckpointSaved(step=100), None)
    """
    word = entry.get("kind")
    if not isinstance(word, str):
        raise MalformedRecordError("a record has a kind")
    kind = KINDS.get(word)
    return None if kind is None else kind.from_json(entry)
