"""What is seen of one training on the way and at its end: findings, layers, net, loss surface, predictions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

from danlu.base.graphs import MOST_NODES, NetGraph
from danlu.base.records import SEVERITIES, Finding
from danlu.store.records.reading import SPARSE, MalformedRecordError, read_fields, written_fields
from danlu.store.records.record import Numbers, Record

_LEAST_PLACES = 2  # on each axis of a surface
Point = tuple[float, float, float | None]


@dataclass(frozen=True, kw_only=True)
class FindingAppeared(Record):
    """Watch found something; told again where it gets graver. The keys are those of the finding itself.

    rule: its id.
    severity: "error", "warning" or "advice".
    where: names of layers.
    since: the step since which it is so.
    evidence: the numbers that it was judged by.
    title: what, in the language of the run.
    why: why it matters, in the language of the run.
    remedies: each {"change": settings} or {"advice": text}.
    code: {"file": path, "line": number} of the user's own loop; left out in danlu's own runs.
    confidence: "surely" or "probably"; left out for advice and symptoms.
    snippet: {"before": text, "after": text}, the statement of that line and as a remedy would have it; left out where
        none is known.
    """

    kind: ClassVar[str] = "finding"
    finding: Finding

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **written_fields(self.finding)}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        return cls(finding=_checked(read_fields(Finding, entry)))


@dataclass(frozen=True, kw_only=True)
class FindingsStood(Record):
    """Those that stood when a session ended: what a rule took back is gone.

    findings: each with the keys of a "finding".
    """

    kind: ClassVar[str] = "findings"
    findings: tuple[Finding, ...]

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        return cls(findings=tuple(map(_checked, read_fields(cls, entry).findings)))


def _checked(finding: Finding) -> Finding:
    """The finding, its severity one that this danlu knows."""
    for remedy in finding.remedies:
        if not (isinstance(remedy["advice"], str) if "advice" in remedy else isinstance(remedy.get("change"), Mapping)):
            raise MalformedRecordError("a remedy is a change or an advice")
    if finding.severity in SEVERITIES:
        return finding
    return replace(finding, severity="advice")


@dataclass(frozen=True, kw_only=True)
class LayersMeasured(Record):
    """What watch measured of each layer in one step, to four digits; null where it was not measured.

    step: which.
    names: of the layers; where they are left out, those of the record before hold.
    spread: standard deviation of the layer's output.
    gradient: L2 norm of the gradient of its parameters.
    update: L2 norm of the step's change of its weight over that of the weight.
    weight: L2 norm of its weight.
    dead: share of its units that are 0 for every sample.
    """

    kind: ClassVar[str] = "layers"
    step: int
    names: tuple[str, ...] | None = field(default=None, metadata=SPARSE)
    spread: Numbers = None
    gradient: Numbers = None
    update: Numbers = None
    weight: Numbers = None
    dead: Numbers = None


@dataclass(frozen=True, kw_only=True)
class ProcessesMeasured(Record):
    """What each process of a shared training had of one step, by rank, before all was added up; null where not finite.

    step: which.
    loss: mean over its own part of the batch.
    norm: L2 norm of its own part of the gradient; not with train.fsdp, where none has one of its own.
    seconds: that it computed, without waiting for the others.
    """

    kind: ClassVar[str] = "processes"
    step: int
    loss: Numbers = None
    norm: Numbers = None
    seconds: Numbers = None


@dataclass(frozen=True, kw_only=True)
class NetDrawn(Record):
    """The graph of the net, once a run. The keys are those of the graph itself.

    name: of the net.
    nodes: layers and operations in the order in which they first ran: id, kind, path of modules, shape of the output
        of one sample, parameters, multiply_adds, detail, calls in one pass, and whether it is an operation, no module.
    edges: pairs of ids; "input" and "output" are the two ends.
    kinds: the class of each module by its dotted name.
    input_shape: of one sample.
    output_shape: of one sample.
    parameters: in all.
    multiply_adds: in all, for one sample.
    """

    kind: ClassVar[str] = "net"
    graph: NetGraph

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, **written_fields(self.graph)}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        record = cls(graph=read_fields(NetGraph, entry))
        record.check()
        return record

    def check(self) -> None:
        known = {"input", "output", *(node.id for node in self.graph.nodes)}
        if len(self.graph.nodes) > MOST_NODES:
            raise MalformedRecordError("a graph too large to be drawn")
        if (
            not all(node.path for node in self.graph.nodes)
            or not {end for edge in self.graph.edges for end in edge} <= known
        ):
            raise MalformedRecordError("a graph's edges join its nodes")


@dataclass(frozen=True, kw_only=True)
class SurfaceMeasured(Record):
    """The loss over two directions in the space of the weights.

    xs: coordinates of the columns.
    ys: coordinates of the rows.
    losses: a row for each y, a number for each x; null where it was not finite.
    path: (x, y, loss) in the order of training.
    path_steps: the step of each of these, where it is known.
    minimum: (x, y, loss) of the lowest point that is known.
    x_label: name of the first direction.
    y_label: name of the second direction.
    exact: whether the two are the weights themselves; else directions in units of a filter's norm.
    saddles: (x, y, loss) where the loss is flat and rises to two sides only.
    """

    kind: ClassVar[str] = "surface"
    xs: tuple[float, ...]
    ys: tuple[float, ...]
    losses: tuple[tuple[float | None, ...], ...]
    path: tuple[Point, ...] = ()
    path_steps: tuple[int | None, ...] = ()
    minimum: Point | None = None
    x_label: str = "w"
    y_label: str = "b"
    exact: bool = False
    saddles: tuple[Point, ...] = ()

    def check(self) -> None:
        grid = len(self.losses) == len(self.ys) and all(len(row) == len(self.xs) for row in self.losses)
        if not grid or min(len(self.xs), len(self.ys)) < _LEAST_PLACES:
            raise MalformedRecordError("a surface has a row for each y and a column for each x")
        known = (loss is not None and math.isfinite(loss) for row in self.losses for loss in row)
        if not all(map(math.isfinite, (*self.xs, *self.ys))) or not any(known):
            raise MalformedRecordError("a surface has places, and a loss at one of them at least")


@dataclass(frozen=True)
class CalibrationBins:
    """For each bin of confidence the sum of the confidences, the count of right answers and that of samples."""

    confidence: Sequence[float]
    right: Sequence[int]
    samples: Sequence[int]


@dataclass(frozen=True)
class ResidualPairs:
    """Predicted and actual numbers in the unit of the target, a pair a sample."""

    predicted: Sequence[float]
    actual: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class WorstSample:
    """A sample with a large loss: its image as PNG in base64 where it is one, and what to call it."""

    actual: str
    predicted: str
    loss: float
    confidence: float | None = None
    png: str = field(default="", metadata=SPARSE)
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class PredictionsMade(Record):
    """What the trained net answered on a part of the data.

    part: "test", "validation" or "train".
    samples: how many.
    classes: their names, in the order of the confusion matrix.
    confusion: counts, a row for each actual class and a column for each predicted one.
    calibration: for each bin of confidence "confidence", the sum of them, "right" and "samples", counts.
    residuals: "predicted" and "actual" numbers of some samples, in the unit of the target.
    worst: those with the largest losses: actual, predicted, loss, confidence, png (base64), text.
    """

    kind: ClassVar[str] = "predictions"
    part: str
    samples: int
    classes: Sequence[str] | None = field(default=None, metadata=SPARSE)
    confusion: Sequence[Sequence[int]] | None = field(default=None, metadata=SPARSE)
    calibration: CalibrationBins | None = field(default=None, metadata=SPARSE)
    residuals: ResidualPairs | None = field(default=None, metadata=SPARSE)
    worst: tuple[WorstSample, ...] = ()

    def check(self) -> None:
        classes = len(self.confusion or ())
        if any(len(row) != classes for row in self.confusion or ()) or len(self.classes or range(classes)) != classes:
            raise MalformedRecordError("a confusion matrix has a row and a column for each class")
        if (bins := self.calibration) and not len(bins.confidence) == len(bins.right) == len(bins.samples):
            raise MalformedRecordError("a calibration's lists must be of one length")
        if self.residuals and len(self.residuals.predicted) != len(self.residuals.actual):
            raise MalformedRecordError("residuals are pairs")


@dataclass(frozen=True, kw_only=True)
class TextGenerated(Record):
    """What a language model wrote after some epoch: its continuation of the run's prompt, which is always the same.

    epoch: from 1.
    step: its last one.
    prompt: the beginning that was given.
    text: what the model continued it with.
    """

    kind: ClassVar[str] = "text"
    epoch: int
    step: int
    prompt: str
    text: str
