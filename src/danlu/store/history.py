"""What a journal tells of a run, with the parts that a resume did over taken out."""

import bisect
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from danlu.base.errors import fail
from danlu.base.forked import refuse_forked
from danlu.base.records import Finding, Score, finding_of
from danlu.base.smoothing import smooth
from danlu.base.strict_json import number

if TYPE_CHECKING:
    import polars

_BETA = 0.1
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True)
class History:
    """The course of a run. The lists of steps run in parallel: one entry a step.

    >>> block = {"kind": "steps", "first": 1, "epoch": 1, "loss": [2.0, 1.0], "lr": [0.1, 0.1], "norm": None}
    >>> History.of([block, {"kind": "resume", "step": 1}, block | {"first": 2, "loss": [0.5], "lr": [0.1]}]).loss
    [2.0, 0.5]
    """

    steps: list[int] = field(default_factory=list[int])
    step_epochs: list[int] = field(default_factory=list[int])
    loss: list[float] = field(default_factory=list[float])
    lr: list[float] = field(default_factory=list[float])
    norm: list[float | None] = field(default_factory=list[float | None])
    epochs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    checkpoints: list[int] = field(default_factory=list[int])
    findings: list[Finding] = field(default_factory=list[Finding])
    layers: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])  # records of kind "layers"
    predictions: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])  # and of "predictions"
    net: Mapping[str, Any] = field(default_factory=dict[str, Any])  # the graph of the net, where it was recorded
    surface: Mapping[str, Any] = field(default_factory=dict[str, Any])  # the loss around the weights, where looked at
    score: dict[str, Score] = field(default_factory=dict[str, Score])
    finished: bool = False
    seconds: float = 0.0  # of training, validation included
    loading: float = 0.0  # seconds before the first step: imports, data, net
    reason: str = ""  # why it ended: "finished", or "early" for want of a better validation score
    skipped: int = 0  # records that could not be made sense of

    @staticmethod
    def of(records: Iterable[Mapping[str, Any]]) -> "History":
        """The history that the records of a journal tell. Kinds unknown are passed over."""
        course = Course()
        for record in records:
            course.add(record)
        return course.history()

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
            row = rows.get(epoch["step"])
            for part in ("train", "validation"):
                score: Score = epoch[part] or {}
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


class Course:
    """A history in the making, a record at a time; its attributes are those of History, but that a rule may have
    several findings: told again, graver or after a resume, the newest that no resume has made void is the one that
    counts."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.step_epochs: list[int] = []
        self.loss: list[float] = []
        self.lr: list[float] = []
        self.norm: list[float | None] = []
        self.epochs: list[dict[str, Any]] = []
        self.checkpoints: list[int] = []
        self.findings: list[Finding] = []
        self.layers: list[Mapping[str, Any]] = []
        self.predictions: list[Mapping[str, Any]] = []
        self.net: Mapping[str, Any] = {}
        self.surface: Mapping[str, Any] = {}
        self.score: dict[str, Score] = {}
        self.finished = False
        self.seconds = 0.0
        self.loading = 0.0
        self.reason = ""
        self.skipped = 0

    def history(self) -> History:
        """What is known by now. The lists are the reader's own, and what is added later does not change them."""
        parts: dict[str, Any] = {name: copy(part) for name, part in vars(self).items()}
        parts["findings"] = list({found.rule: found for found in self.findings}.values())
        return History(**parts)

    def add(self, record: Mapping[str, Any]) -> None:
        """Take in one record; what cannot be made sense of is counted as skipped."""
        try:
            match record.get("kind"):
                case "start":
                    self._void_after(0)
                    self.loading = number(record.get("loading", 0.0))
                case "resume":
                    self._void_after(int(record["step"]))
                    self.loading += number(record.get("loading", 0.0))
                case "steps":
                    self._add_steps(record)
                case "epoch":
                    self._add_epoch(record)
                case "checkpoint":
                    self.checkpoints = sorted({*self.checkpoints, int(record["step"])})
                case "finding":
                    self.findings.append(finding_of(record))
                case "layers":
                    self.layers.append({**record, "step": int(record["step"])})
                case "net":
                    self.net = record
                case "surface":
                    self.surface = record
                case "predictions":
                    told = [other for other in self.predictions if other["part"] != record["part"]]
                    self.predictions = [*told, record]
                case "findings":  # those that stood at the end: what a rule took back is gone
                    self.findings = [finding_of(one) for one in record["findings"]]
                case "end":
                    score = {part: _score(numbers) for part, numbers in record["score"].items() if numbers}
                    self.seconds = number(record["seconds"])
                    self.score, self.finished = score, True
                    self.reason = str(record.get("reason", ""))
                case _:
                    pass  # a kind that a newer danlu writes
        except _MALFORMED:
            self.skipped += 1

    def _void_after(self, step: int) -> None:
        """Take out all that was recorded of later steps: they are done over."""
        last = bisect.bisect_right(self.steps, step)
        for column in (self.steps, self.step_epochs, self.loss, self.lr, self.norm):
            del column[last:]
        self.epochs = [epoch for epoch in self.epochs if epoch["step"] <= step]
        self.checkpoints = [saved for saved in self.checkpoints if saved <= step]
        self.findings = [finding for finding in self.findings if finding.since <= step]
        self.layers = [entry for entry in self.layers if entry["step"] <= step]
        self.predictions = []
        self.score = {}
        self.finished = False
        self.reason = ""
        self.seconds = sum(epoch["seconds"] for epoch in self.epochs)

    def _add_steps(self, record: Mapping[str, Any]) -> None:
        first, epoch = int(record["first"]), int(record["epoch"])
        loss = [number(value) for value in record["loss"]]
        rates = record["lr"] if isinstance(record["lr"], list) else [record["lr"]] * len(loss)
        lr = [number(value) for value in rates]
        norms = record["norm"] or [None] * len(loss)
        norm = [None if value is None else number(value) for value in norms]
        if not len(loss) == len(lr) == len(norm):
            raise ValueError("a block's lists must be of one length")
        if self.steps and first <= self.steps[-1]:  # the record of the resume itself is lost
            self._void_after(first - 1)
        self.steps += range(first, first + len(loss))
        self.step_epochs += [epoch] * len(loss)
        self.loss += loss
        self.lr += lr
        self.norm += norm

    def _add_epoch(self, record: Mapping[str, Any]) -> None:
        """A validation that was done over after a resume gives its epoch a second time: the later one counts."""
        epoch = {
            **record,
            "epoch": int(record["epoch"]),
            "step": int(record["step"]),
            "train": _score(record["train"]),
            "validation": None if record["validation"] is None else _score(record["validation"]),
            "seconds": number(record["seconds"]),
        }
        self.epochs = [earlier for earlier in self.epochs if earlier["epoch"] != epoch["epoch"]] + [epoch]
        self.seconds = sum(epoch["seconds"] for epoch in self.epochs)


def _score(numbers: Mapping[str, Any]) -> Score:
    return {name: number(value) for name, value in numbers.items()}
