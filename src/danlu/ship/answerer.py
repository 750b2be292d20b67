"""A trained net with the preprocessing that was fitted along with it: raw samples in, answers out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from danlu.base.errors import Fault, fail
from danlu.base.memory import memory_guard
from danlu.base.seeds import choose_device
from danlu.data.preprocessing import Preprocessing
from danlu.train.carried import Carried
from danlu.train.in_portions import InPortions
from danlu.train.predictions import class_logits, predicted

_AT_ONCE = 1024  # samples that go through the net together
_PICTURES_AT_ONCE = 16  # where each pixel has outputs of its own
_TEXTS_AT_ONCE = 256  # where each token has an output for each of a vocabulary
MOST_BEAM = 1000
_PAIRS = 3  # dimensions of samples that hold the right texts too
_LIKELY = ("classification", "multi-label", "segmentation", "tagging")


@dataclass(frozen=True)
class Answers:
    """What a net says of N samples, in the words and units of the data it was trained on.

    `values` [N] are labels or numbers ([N, T] for several), lists of labels or tags, or masks [N, H, W]; `outputs`
    [N, …] what the net gave; `probabilities` float64 [N, C] are there for classes and labels. Of a translation the
    values are texts, `written` their tokens [N, T], and the outputs tokens too: where the right texts are known, the
    likeliest behind their beginnings, else those that were written.
    """

    values: Any
    outputs: Tensor
    probabilities: Tensor | None
    written: Tensor | None = None

    def ranked(self, row: int, most: int) -> list[tuple[int, float]]:
        """The likeliest `most` classes of a sample, by number, with their probabilities, the likeliest first."""
        assert self.probabilities is not None
        likeliest = self.probabilities[row].topk(min(most, self.probabilities.shape[1]))
        return list(zip(likeliest.indices.tolist(), likeliest.values.tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Answerer:
    """`net` in evaluation mode on the CPU, `fitted` to the training part it learnt from; samples go in as `dtype`.

    >>> from danlu.data import load
    >>> data = load(([[0.0, 1.0], [1.0, 0.0]] * 20, ["a", "b"] * 20))
    >>> answerer = Answerer(Preprocessing.of(data), nn.Linear(2, 2), torch.float32)
    >>> answerer.predict_proba([[0.5, 0.5]]).shape
    torch.Size([1, 2])
    """

    fitted: Preprocessing
    net: nn.Module
    dtype: torch.dtype

    def encode(self, raw: Any) -> Tensor:
        """Raw samples as what the net takes: [N, *sample_shape]. UserError for what it cannot take."""
        return self.fitted.encode(raw)

    def outputs(self, encoded: Tensor) -> Tensor:
        """What the net gives for encoded samples: [N, …]. UserError where there is none."""
        if not len(encoded):
            fail("ship.no-samples")
        with memory_guard("prediction"), torch.no_grad():
            inputs = encoded.to(choose_device("cpu"), self.dtype)
            at_once = _PICTURES_AT_ONCE if self.fitted.task == "segmentation" else _AT_ONCE
            forward = InPortions(self._called)
            return torch.cat([forward(part) for part in inputs.split(at_once)])

    def _called(self, inputs: Tensor) -> Any:
        """What the net gives of samples of which none goes on from those before."""
        return Carried(self.net)(inputs)

    def answers(self, encoded: Tensor, beam: int = 1) -> Answers:
        """What the net says of encoded samples; of a translation found with a `beam` of so many beginnings. UserError
        where there is no sample.
        """
        if self.fitted.task == "translation":
            return self._translated(encoded, beam)
        outputs = self.outputs(encoded)
        likely = _likelihoods(outputs, self.fitted.task) if self.fitted.task in _LIKELY else None
        return Answers(self._decoded(outputs, encoded), outputs, likely)

    def predict(self, raw: Any) -> Any:
        """Labels [N] in their original type, or lists of them, or of a tag a token; masks [N, H, W]; or numbers [N] in
        the target's own unit; of a language model the likeliest next token of each text.
        """
        encoded = self.encode(raw)
        if self.fitted.task == "translation":
            return self.answers(encoded).values
        return self._decoded(self.outputs(encoded), encoded)

    def predict_proba(self, raw: Any) -> Tensor:
        """The probability of each class, float64 [N, C], in the order of `fitted.classes`; each row sums to 1, but for
        labels of which a sample may have several. Of each pixel [N, C, H, W], of each token [N, T, C].
        """
        if self.fitted.task not in _LIKELY:
            fail("ship.no-classes", task=Fault(f"base.task-{self.fitted.task}"))
        return _likelihoods(self.outputs(self.encode(raw)), self.fitted.task)

    def check_beam(self, beam: object) -> int:
        """The width of a beam; UserError for what is none, or where there is nothing to write."""
        if isinstance(beam, bool) or not isinstance(beam, int) or not 1 <= beam <= MOST_BEAM:
            fail("ship.beam-number", found=beam, most=f"{MOST_BEAM:,}")
        if beam > 1 and self.fitted.task != "translation":
            fail("ship.beam-unfit", name=self.fitted.name, task=Fault(f"base.task-{self.fitted.task}"))
        return beam

    def _translated(self, encoded: Tensor, beam: int) -> Answers:
        """Texts for sources [N, T], or for pairs [N, 2, T] of which the right texts are known."""
        if not len(encoded):
            fail("ship.no-samples")
        net: Any = self.net
        with memory_guard("prediction"), torch.no_grad():
            portions = encoded.to(choose_device("cpu")).split(max(1, _TEXTS_AT_ONCE // beam))
            written = _joined([net.translate(part, beam=beam) for part in portions])
            told = encoded.dim() == _PAIRS
            outputs = torch.cat([net(part).argmax(-1) for part in portions]) if told else written
        return Answers(self.fitted.decode(written), outputs, None, written)

    def _decoded(self, outputs: Tensor, encoded: Tensor) -> Any:
        found = predicted(outputs, self.fitted.task, self.fitted.outputs)
        if self.fitted.task == "tagging":
            lengths: list[int] = (encoded != 0).sum(1).tolist()
            rows: Any = zip(self.fitted.decode(found), lengths, strict=True)
            return [tags[:length].tolist() for tags, length in rows]
        if self.fitted.task != "language":
            return self.fitted.decode(found)
        last = (encoded != 0).sum(1).clamp(min=1) - 1  # behind a text's end stands padding
        ends: Iterable[tuple[Tensor, Tensor]] = zip(found, last, strict=True)
        return [self.fitted.decode(tokens[place]) for tokens, place in ends]


def _joined(texts: list[Tensor]) -> Tensor:
    """Tokens [N, T] of several widths, 0 behind the ends, as one."""
    longest = max(part.shape[1] for part in texts)
    return torch.cat([pad(part, (0, longest - part.shape[1])) for part in texts])


def _likelihoods(outputs: Tensor, task: str) -> Tensor:
    """Logits as probabilities float64 [N, C], of pixels [N, C, H, W], of tokens [N, T, C]."""
    if task == "multi-label":
        return outputs.double().sigmoid()
    if task == "tagging":
        return outputs.double().softmax(-1)
    return class_logits(outputs.double()).softmax(1)
