"""The proof that an exported net answers as its run does, on raw samples, in batches and sizes of every kind."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, UserError, fail
from danlu.base.naming import listed
from danlu.base.token_numbers import END
from danlu.data.label_sets import LabelSets
from danlu.data.place_labels import TokenLabels
from danlu.data.plain import to_plain
from danlu.data.standard import Pixels
from danlu.data.targets import measured_by
from danlu.data.transforms.pictures import resize
from danlu.data.written_text import WrittenText
from danlu.ship.answerer import Answerer
from danlu.ship.export.compare import Difference, difference
from danlu.ship.export.feeds import Feeds, feeds_of
from danlu.ship.export.interface import Interface
from danlu.ship.export.onnx_file import FileAnswers
from danlu.ship.export.samples import BATCH_SIZES, golden, in_batches, scale_of
from danlu.train.metrics import Metrics

Ask = Callable[[Feeds], FileAnswers]
_REPEATED = 21  # samples that go through in batches of each size
_GOLDEN = 8
_MOST_GOLDEN_BYTES = 4 * 2**20  # of the outputs and probabilities of golden samples
_LABEL_METRICS = ("accuracy", "f1")
_NEAR = 1e-6


@dataclass(frozen=True)
class Evidence:
    """What an export is proved on: raw samples, a portion at a time, with the right answers as the net is trained on
    them (None where they are not known), and the `score` the run has on all of them (None where it is not theirs).
    `of` says what they are: "test" for the test part, "golden" for the package's golden samples.
    """

    of: str
    portions: Iterable[tuple[Any, Tensor | None]]
    score: dict[str, float] | None = None


@dataclass(frozen=True)
class ExportProof:
    """How an export was proved: on so many `samples` `of` "test" or "golden", with what largest distance `delta` of
    probabilities (of a regression: of values, in deviations of the target), in which batch sizes and sizes of samples.
    `resize` says how the pictures that it was proved on were brought to the net's size (see `Interface.resizing`).
    """

    of: str
    samples: int
    delta: float
    batch_sizes: tuple[int, ...]
    sizes: tuple[tuple[int, ...], ...]
    score: dict[str, float] | None = None
    resize: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        sizes = [list(size) for size in self.sizes]
        told = {"of": self.of, "samples": self.samples, "labels_differing": 0, "max_delta": self.delta}
        return {
            **told,
            "batch_sizes": list(self.batch_sizes),
            "sizes": sizes,
            "score": self.score,
            "resize": self.resize,
        }


@dataclass
class ExportTrial:
    """An export on trial: `answerer` is the run, `ask` the export, with this `interface`."""

    answerer: Answerer
    interface: Interface
    ask: Ask
    locate: Callable[[Feeds, Tensor], Fault | str] = lambda feeds, encoded: ""
    _delta: float = field(default=0.0, init=False)

    def prove(self, evidence: Evidence) -> ExportProof:
        """UserError, with what differs and where it begins, unless all answers are the same."""
        fitted, first = self.answerer.fitted, None
        ours, theirs = _metrics(self.answerer), _metrics(self.answerer)
        samples, counted = 0, 0
        for raw, targets in evidence.portions:
            feeds, encoded = feeds_of(raw, self.interface), self.answerer.encode(raw)
            found, wanted = self._asked(feeds), reference(self.answerer, encoded)
            self._refuse(difference(found, wanted, scale_of(self.interface)), feeds, encoded, samples)
            samples += feeds.count
            if targets is not None and fitted.task != "language":
                counted += len(targets)
                ours.update(torch.as_tensor(found.outputs), targets)
                theirs.update(torch.as_tensor(wanted.outputs), targets)
            first = first or (feeds.rows(slice(_REPEATED)), encoded[:_REPEATED])
        if first is None:
            fail("export.no-samples")
        score = ours.compute(float("nan")) if counted else None
        if score is not None:
            self._refuse_score(score, theirs.compute(float("nan")), evidence)
        self._in_batches(*first)
        sizes = [self._other_size(*changed) for changed in other_sizes(self.answerer, self.interface, *first)]
        usual = next(iter(first[0].arrays.values())).shape[1:]
        shapes = (tuple(usual), *sizes) if sizes else ()
        return ExportProof(evidence.of, samples, self._delta, BATCH_SIZES, shapes, score, self.interface.resizing)

    def _asked(self, feeds: Feeds) -> FileAnswers:
        try:
            return self.ask(feeds)
        except UserError as error:
            shapes = listed((list(array.shape) for array in feeds.arrays.values()), 3)
            reason = error.faults[0].values.get("reason", error)
            fail("export.not-run", shapes=shapes, reason=str(reason)[:300])

    def _in_batches(self, feeds: Feeds, encoded: Tensor) -> None:
        wanted = reference(self.answerer, encoded)
        self._refuse(in_batches(self._asked, feeds, wanted, BATCH_SIZES, self.interface), feeds, encoded, 0)

    def _other_size(self, feeds: Feeds, encoded: Tensor) -> tuple[int, ...]:
        found, wanted = self._asked(feeds), reference(self.answerer, encoded)
        self._refuse(difference(found, wanted, scale_of(self.interface)), feeds, encoded, 0)
        return tuple(next(iter(feeds.arrays.values())).shape[1:])

    def _refuse(self, found: Difference, feeds: Feeds, encoded: Tensor, before: int) -> None:
        self._delta = max(self._delta, found.delta)
        if found.none:
            return
        row = found.first or 0
        rows = slice(row % feeds.count, row % feeds.count + 1)
        where = self.locate(feeds.rows(rows), encoded[rows])
        first = Fault("export.first-row", {"row": before + row % feeds.count + 1}) if found.labels else ""
        values = {"labels": found.labels, "samples": found.samples, "first": first}
        fail("export.not-proved", **values, delta=f"{max(found.delta, found.outputs):.3g}", where=where)

    def _refuse_score(self, ours: dict[str, float], theirs: dict[str, float], evidence: Evidence) -> None:
        for wanted in (theirs, evidence.score or {}):
            for name, value in ours.items():
                other = wanted.get(name, value)
                near = 1e-12 if name in _LABEL_METRICS else _NEAR * max(1.0, abs(other))
                if not abs(value - other) <= near:
                    fail("export.other-score", name=name, found=f"{value:.6g}", wanted=f"{other:.6g}")


def reference(answerer: Answerer, encoded: Tensor) -> FileAnswers:
    """What the run says of encoded samples, as a file says it."""
    answers, target = answerer.answers(encoded), answerer.fitted.target
    outputs = answers.outputs.numpy()
    if answerer.fitted.task == "language":
        last = (encoded != 0).sum(1).clamp(min=1) - 1
        ends = answers.outputs[torch.arange(len(encoded)), last]
        return FileAnswers(numpy.array(answers.values, dtype=object), ends.double().softmax(1).numpy(), outputs)
    values: Any = answers.values
    if isinstance(target, WrittenText):
        texts = torch.nn.functional.pad(answers.outputs, (0, encoded.shape[1] - answers.outputs.shape[1]))
        labels = Interface(to_plain(answerer.fitted)).labels
        return FileAnswers(labels[texts.numpy()], None, (texts > END).sum(1).numpy())
    if isinstance(target, LabelSets):
        values = numpy.array([[label in own for label in target.values] for own in values])
    elif isinstance(target, TokenLabels):
        values = padded_tags(values, encoded.shape[1])
    if values.dtype.kind == "U":
        values = values.astype(object)
    return FileAnswers(values, None if answers.probabilities is None else answers.probabilities.numpy(), outputs)


def padded_tags(rows: Sequence[Sequence[str]], length: int) -> "numpy.ndarray[Any, Any]":
    """Tags of texts as strings [N, length], "" behind the end.

    >>> padded_tags([["a", "b"], ["b"]], 3).tolist()
    [['a', 'b', ''], ['b', '', '']]
    """
    tags = numpy.full((len(rows), length), "", dtype=object)
    for row, own in enumerate(rows):
        tags[row, : len(own)] = own
    return tags


def golden_samples(answerer: Answerer, interface: Interface, raw: Any) -> list[dict[str, Any]]:
    """The run's answers to the first raw samples, at each size that samples may have."""
    feeds, encoded = feeds_of(raw, interface), answerer.encode(raw)
    count = _count_of_golden(reference(answerer, encoded[:1]))
    feeds, encoded = feeds.rows(slice(count)), encoded[:count]
    pairs = [(feeds, encoded), *other_sizes(answerer, interface, feeds, encoded)]
    return [golden(some, reference(answerer, inputs)) for some, inputs in pairs]


def _count_of_golden(one: FileAnswers) -> int:
    """How many samples are kept, of which `one` shows the size: of large pictures fewer, for each pixel has outputs."""
    likely = 0 if one.probabilities is None else one.probabilities.nbytes
    return max(1, min(_GOLDEN, _MOST_GOLDEN_BYTES // (one.outputs.nbytes + likely)))


def other_sizes(answerer: Answerer, interface: Interface, feeds: Feeds, encoded: Tensor) -> list[tuple[Feeds, Tensor]]:
    """The samples at other lengths or sizes, where they may have any: longer and cut short, or of other proportions."""
    name = interface.inputs[0].name
    if interface.input == "texts":
        half, tokens = max(2, encoded.shape[1] // 2), feeds.arrays[name]
        longer = numpy.pad(tokens, ((0, 0), (0, 3)), constant_values=interface.padding)
        cut_short = Feeds({name: tokens[:, :half]}, feeds.count), encoded[:, :half]
        return [cut_short, (Feeds({name: longer}, feeds.count), torch.nn.functional.pad(encoded, (0, 3)))]
    encoder = answerer.fitted.encoder
    if not interface.resizes or not isinstance(encoder, Pixels):
        return []
    pictures = feeds.arrays[name]
    found: list[tuple[Feeds, Tensor]] = []
    for height, width in _other_sides(pictures.shape[1:3]):
        rows, columns = (numpy.arange(new) % old for new, old in zip((height, width), pictures.shape[1:3], strict=True))
        changed = numpy.ascontiguousarray(pictures[:, rows][:, :, columns])
        pixels = torch.from_numpy(changed)
        pixels = pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)
        small = resize(pixels, *encoder.sample_shape[1:])
        found.append((Feeds({name: changed}, len(changed)), encoder.encode(small)))
    return found


def _other_sides(sides: tuple[int, ...]) -> list[tuple[int, int]]:
    height, width = sides
    return [(height * 3 // 4 + 1, width * 5 // 4 + 1), (height * 2, width)]


def _metrics(answerer: Answerer) -> Metrics:
    return Metrics(**measured_by(answerer.fitted.target, each=True))
