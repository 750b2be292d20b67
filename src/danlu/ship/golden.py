"""Golden samples: raw samples of the test part with a run's own answers, which prove any copy of it.

Nothing here needs torch: `prove` takes anything that answers, be it a run, an exported file or a server.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy

from danlu.base.errors import Fault
from danlu.store.package_file import Array, GoldenSample, GoldenSamples

DECISIONS = {
    "largest-logit": "the class of the largest output",
    "positive-logit": "the second class where the one output is above 0",
    "number": "the outputs times the target's scale plus its mean, kept within its range where it is limited",
    "mixture-mean": "the mean of the Gaussians by their softmax weights, then as a number",
    "label-thresholds": "each label whose output, as a probability, reaches its threshold",
    "largest-logit-a-pixel": "for each pixel the class of the largest output there",
    "largest-logit-a-token": "for each token the tag of the largest output there, up to the end of the text",
    "likeliest-tokens": "the likeliest next token again and again, up to the end of the text",
    "next-token": "the token of the largest output at the text's last token",
    "sample": "the outputs as they are",
}
"""How an answer is made of outputs."""

TOLERANCE = 1e-5
"""By how much probabilities may differ, and outputs in proportion to the largest of a sample, or to 1."""


def decision_of(task: str, output_shape: Sequence[int], targets: int = 1) -> str:
    """The decision by which outputs of a shape (of one sample) become answers to a task with so many targets.

    >>> decision_of("classification", (1,)), decision_of("regression", (5, 3)), decision_of("regression", (1,))
    ('positive-logit', 'mixture-mean', 'number')
    """
    if task == "classification":
        return "positive-logit" if math.prod(output_shape) == 1 else "largest-logit"
    if task == "regression":
        return "mixture-mean" if len(output_shape) == 2 and output_shape[1] == 1 + 2 * targets else "number"
    return _DECISIONS_OF.get(task, "sample")


_DECISIONS_OF = {
    "language": "next-token",
    "multi-label": "label-thresholds",
    "segmentation": "largest-logit-a-pixel",
    "tagging": "largest-logit-a-token",
    "translation": "likeliest-tokens",
}


class Said(NamedTuple):
    """What something says of N raw samples: answers (labels or numbers), probabilities [N, C] of classes, and the net's
    outputs [N, …]; the last two are not compared where they are None.
    """

    answers: Sequence[Any]
    probabilities: Array | None = None
    outputs: Array | None = None


@dataclass(frozen=True)
class GoldenProof:
    """What came of it: how many samples were compared, the largest difference of a probability (of a number, in
    proportion), and what differs by more than is allowed, sample by sample.
    """

    samples: int
    largest: float
    differences: tuple[Fault, ...]


def prove(golden: GoldenSamples, ask: Callable[[Any], Said], tolerance: float = TOLERANCE) -> GoldenProof:
    """Ask for all golden samples at once, and compare: labels must be equal, numbers within `tolerance`.

    >>> sample = GoldenSample(numpy.zeros(2), "b", numpy.array([0.1, 0.9]), numpy.array([0.0, 2.2]))
    >>> golden = GoldenSamples("numbers", (sample,))
    >>> prove(golden, lambda raw: Said(["b"], numpy.array([[0.1, 0.9]]))).differences
    ()
    >>> print(prove(golden, lambda raw: Said(["a"])).differences[0])
    golden sample 1: the answer is a instead of b
    """
    said = ask(golden.raw()) if golden.samples else Said(())
    if len(said.answers) != len(golden.samples):
        counts = {"found": len(said.answers), "wanted": len(golden.samples)}
        return GoldenProof(0, math.inf, (Fault("ship.golden-count", counts),))
    differences: list[Fault] = []
    largest = 0.0
    for row, sample in enumerate(golden.samples):
        measured = _measured(said, row, sample)
        largest = max([largest, *(distance for what, distance in measured.items() if what != "outputs")])
        answer = _plain(said.answers[row])
        if "answer" not in measured and sample.answer is not None and answer != sample.answer:
            differences.append(Fault("ship.golden-answer", {"row": row + 1, "found": answer, "wanted": sample.answer}))
        for what, distance in measured.items():
            if not distance <= tolerance:
                values = {"row": row + 1, "apart": f"{distance:.3g}", "allowed": tolerance}
                differences.append(Fault(f"ship.golden-{what}-apart", values))
    return GoldenProof(len(golden.samples), largest, tuple(differences))


def _measured(said: Said, row: int, sample: GoldenSample) -> dict[str, float]:
    """How far the numbers of a sample lie apart, by what they are; an answer that is a label is none."""
    measured: dict[str, float] = {}
    if sample.probabilities is None and not isinstance(sample.answer, str | None):
        measured["answer"] = apart(said.answers[row], sample.answer)
    if said.probabilities is not None and sample.probabilities is not None:
        measured["probabilities"] = apart(said.probabilities[row], sample.probabilities)
    if said.outputs is not None:
        measured["outputs"] = apart(said.outputs[row], sample.outputs)
    return measured


def apart(found: Any, wanted: Any) -> float:
    """The largest difference, in proportion to the largest number wanted where that is above 1; NaN equals NaN."""
    found, wanted = numpy.asarray(found, dtype=numpy.float64), numpy.asarray(wanted, dtype=numpy.float64)
    if found.shape != wanted.shape:
        return math.inf
    same = (found == wanted) | (numpy.isnan(found) & numpy.isnan(wanted))
    if same.all():
        return 0.0
    distances = numpy.abs(found - wanted)[~same]
    finite = numpy.abs(wanted[numpy.isfinite(wanted)])
    return float(numpy.nan_to_num(distances, nan=math.inf).max() / max(1.0, finite.max(initial=0.0)))


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
