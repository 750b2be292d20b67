"""What a journal tells of a run, with the parts that a resume did over taken out."""

import bisect
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from danlu.base.errors import fail
from danlu.base.forked import refuse_forked
from danlu.base.graphs import NetGraph
from danlu.base.records import Finding, Score
from danlu.base.smoothing import smooth
from danlu.store.records import (
    CheckpointSaved,
    EpochEnded,
    FindingAppeared,
    FindingsStood,
    ForecastMade,
    ImportedFrom,
    LayersMeasured,
    MicroBatchChosen,
    MomentTaken,
    NetDrawn,
    ParentRun,
    PredictionsMade,
    Record,
    RunEnded,
    RunResumed,
    RunStarted,
    SamplesFollowed,
    SamplesPictured,
    StepsTaken,
    SurfaceMeasured,
    TextGenerated,
    TimeSpent,
)
from danlu.store.replay import Replay

if TYPE_CHECKING:
    import polars

_BETA = 0.1


@dataclass(frozen=True)
class RunHistory:
    """The course of a run. The lists of steps run in parallel: one entry a step.

    >>> block = {"kind": "steps", "first": 1, "epoch": 1, "loss": [2.0, 1.0], "lr": [0.1, 0.1], "norm": None}
    >>> told = [block, {"kind": "resume", "step": 1}, block | {"first": 2, "loss": [0.5], "lr": [0.1]}]
    >>> RunHistory.of(told).loss
    [2.0, 0.5]
    """

    steps: list[int] = field(default_factory=list[int])
    step_epochs: list[int] = field(default_factory=list[int])
    loss: list[float] = field(default_factory=list[float])
    lr: list[float] = field(default_factory=list[float])
    norm: list[float | None] = field(default_factory=list[float | None])
    epochs: list[EpochEnded] = field(default_factory=list[EpochEnded])
    checkpoints: list[int] = field(default_factory=list[int])
    findings: list[Finding] = field(default_factory=list[Finding])
    layers: list[LayersMeasured] = field(default_factory=list[LayersMeasured])
    predictions: list[PredictionsMade] = field(default_factory=list[PredictionsMade])  # one for each part of the data
    forecast: ForecastMade | None = None  # of a time series, on the test part
    texts: list[TextGenerated] = field(default_factory=list[TextGenerated])  # of a language model, by epoch
    time: list[TimeSpent] = field(default_factory=list[TimeSpent])  # where it went, stretch by stretch
    followed: SamplesFollowed | None = None  # samples of the validation part
    moments: list[MomentTaken] = field(default_factory=list[MomentTaken])  # what the net was like, by epoch
    pictured: SamplesPictured | None = None  # some of the samples that were followed
    net: NetGraph | None = None  # where it was recorded
    surface: SurfaceMeasured | None = None  # the loss around the weights, where looked at
    score: dict[str, Score] = field(default_factory=dict[str, Score])
    finished: bool = False
    seconds: float = 0.0  # of training, validation included
    loading: float = 0.0  # seconds before the first step: imports, data, net
    reason: str = ""  # why it ended: "finished", or "early" for want of a better validation score
    skipped: int = 0  # lines that could not be made sense of
    unknown: int = 0  # lines of kinds that a newer danlu writes
    parent: ParentRun | None = None  # the run that it began from
    imported: ImportedFrom | None = None  # the log of another program that it was taken over from
    fingerprint: str = ""  # of the recipe
    planned_epochs: int = 0  # 0 where it is not known
    steps_per_epoch: int = 0  # 0 where it is not known
    micro_batches: list[MicroBatchChosen] = field(
        default_factory=list[MicroBatchChosen]
    )  # those of steps done over too

    @staticmethod
    def of(entries: Iterable[Mapping[str, Any]]) -> "RunHistory":
        """The history that the objects of a journal tell."""
        return RunReplay.of(entries).told()

    @staticmethod
    def read(path: Path) -> "RunHistory":
        """The history that the journal at `path` tells; UserError where it cannot be read."""
        return RunReplay.of_file(path).told()

    def smoothed(self, beta: float = _BETA) -> list[float]:
        """The loss curve smoothed: C'ᵢ = β·Cᵢ + (1-β)·C'ᵢ₋₁ with 0 < β ≤ 1, starting at the first loss."""
        if not 0 < beta <= 1:
            fail("store.bad-smoothing", found=beta)
        return smooth(self.loss, beta)

    def frame(self, beta: float = _BETA) -> "polars.DataFrame":
        """A polars frame, one row a step: step, epoch, loss, smoothed, lr, gradient_norm; and the scores of each epoch
        (train_loss, validation_accuracy …) on the row of its last step."""
        import polars  # here, because it takes as long to import as all of danlu

        refuse_forked()
        rows = {step: row for row, step in enumerate(self.steps)}
        scores: dict[str, list[float | None]] = {}
        for epoch in self.epochs:
            row = rows.get(epoch.step)
            for part, score in (("train", epoch.train), ("validation", epoch.validation or {})):
                for name, value in score.items():
                    column = scores.setdefault(f"{part}_{name}", [None] * len(rows))
                    if row is not None:
                        column[row] = value
        return polars.DataFrame(
            {
                "step": polars.Series(self.steps, dtype=polars.Int64),
                "epoch": polars.Series(self.step_epochs, dtype=polars.Int64),
                "loss": polars.Series(self.loss, dtype=polars.Float64),
                "smoothed": polars.Series(self.smoothed(beta), dtype=polars.Float64),
                "lr": polars.Series(self.lr, dtype=polars.Float64),
                "gradient_norm": polars.Series(self.norm, dtype=polars.Float64),
                **{name: polars.Series(column, dtype=polars.Float64) for name, column in sorted(scores.items())},
            }
        )


class RunReplay(Replay[RunHistory]):
    """A history of a run in the making; its attributes are those of RunHistory, but that a rule may have several
    findings: told again, graver or after a resume, the newest that no resume has made void is the one that counts."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[int] = []
        self.step_epochs: list[int] = []
        self.loss: list[float] = []
        self.lr: list[float] = []
        self.norm: list[float | None] = []
        self.epochs: list[EpochEnded] = []
        self.checkpoints: list[int] = []
        self.findings: list[Finding] = []
        self.layers: list[LayersMeasured] = []
        self.predictions: list[PredictionsMade] = []
        self.forecast: ForecastMade | None = None
        self.texts: list[TextGenerated] = []
        self.time: list[TimeSpent] = []
        self.followed: SamplesFollowed | None = None
        self.moments: list[MomentTaken] = []
        self.pictured: SamplesPictured | None = None
        self.net: NetGraph | None = None
        self.surface: SurfaceMeasured | None = None
        self.score: dict[str, Score] = {}
        self.finished = False
        self.seconds = 0.0
        self.loading = 0.0
        self.reason = ""
        self.parent: ParentRun | None = None
        self.imported: ImportedFrom | None = None
        self.micro_batches: list[MicroBatchChosen] = []

    def told(self, damaged: int = 0) -> RunHistory:
        parts: dict[str, Any] = {name: copy(part) for name, part in vars(self).items()}
        parts["findings"] = list({found.rule: found for found in self.findings}.values())
        parts["skipped"] += damaged
        return RunHistory(**parts)

    def take(self, record: Record) -> None:
        match record:
            case RunStarted():
                self._void_after(0)
                self.micro_batches = []
                self.loading, self.parent, self.imported = record.loading, record.parent, record.imported
                self.planned_epochs, self.steps_per_epoch = record.epochs, record.steps_per_epoch
                self.fingerprint = record.fingerprint
            case RunResumed():
                self._void_after(record.step)
                self.loading += record.loading
            case StepsTaken():
                self._take_steps(record)
            case EpochEnded():
                # A validation that was done over after a resume gives its epoch a second time: the later one counts.
                self.epochs = [earlier for earlier in self.epochs if earlier.epoch != record.epoch] + [record]
                self.seconds = sum(epoch.seconds for epoch in self.epochs)
            case MicroBatchChosen():  # a resume makes none void: the steps that are done over are computed in the same
                self.micro_batches.append(record)
            case CheckpointSaved():
                self.checkpoints = sorted({*self.checkpoints, record.step})
            case FindingAppeared():
                self.findings.append(record.finding)
            case FindingsStood():
                self.findings = list(record.findings)
            case LayersMeasured():
                self.layers.append(record)
            case NetDrawn():
                self.net = record.graph
            case SurfaceMeasured():
                self.surface = record
            case PredictionsMade():
                self.predictions = [*(one for one in self.predictions if one.part != record.part), record]
            case ForecastMade():
                self.forecast = record
            case TextGenerated():
                self.texts = [earlier for earlier in self.texts if earlier.epoch != record.epoch] + [record]
            case TimeSpent():
                self.time.append(record)
            case SamplesFollowed():
                self.followed = record
            case MomentTaken():
                self.moments = [earlier for earlier in self.moments if earlier.epoch != record.epoch] + [record]
            case SamplesPictured():
                self.pictured = record
            case RunEnded():
                self.score = {part: score for part, score in record.score.items() if score}
                self.finished, self.seconds, self.reason = True, record.seconds, record.reason
            case _:
                pass

    def _void_after(self, step: int) -> None:
        """Take out all that was recorded of later steps: they are done over."""
        last = bisect.bisect_right(self.steps, step)
        for column in (self.steps, self.step_epochs, self.loss, self.lr, self.norm):
            del column[last:]
        self.epochs = [epoch for epoch in self.epochs if epoch.step <= step]
        self.checkpoints = [saved for saved in self.checkpoints if saved <= step]
        self.findings = [finding for finding in self.findings if finding.since <= step]
        self.layers = [measured for measured in self.layers if measured.step <= step]
        self.texts = [written for written in self.texts if written.step <= step]
        self.time = [spent for spent in self.time if spent.step <= step]
        self.moments = [moment for moment in self.moments if moment.step <= step]
        self.pictured = None
        self.predictions = []
        self.forecast = None
        self.score = {}
        self.finished = False
        self.reason = ""
        self.seconds = sum(epoch.seconds for epoch in self.epochs)

    def _take_steps(self, record: StepsTaken) -> None:
        if self.steps and record.first <= self.steps[-1]:  # the record of the resume itself is lost
            self._void_after(record.first - 1)
        self.steps += range(record.first, record.last + 1)
        self.step_epochs += [record.epoch] * len(record.loss)
        self.loss += record.loss
        self.lr += record.rates
        self.norm += record.norms
