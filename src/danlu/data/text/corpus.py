"""A corpus for a language model: one long text whose every token is to be told from those before it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import Fault, fail
from danlu.base.seeds import order, stream
from danlu.data.dataset import Dataset, Origin, checksum, digest
from danlu.data.options import RUNNING_TEXT, Options, refuse_unfit
from danlu.data.parts import PARTS
from danlu.data.targets import Tokens
from danlu.data.text.encoders import TextEncoder
from danlu.data.tokens import END_OF_LINE, RESERVED, cut
from danlu.data.vocabulary import Vocabulary

USUAL_STEPS = 35


@dataclass(frozen=True)
class Corpus:
    """What a reader of running text gives: the training text, and those of further parts where the source has them.

    `tokens` is what befits the text, "characters" or "words"; `spaced` texts have blanks around every word already.
    """

    train: str
    validation: str | None = None
    test: str | None = None
    tokens: str = "characters"
    spaced: bool = False
    notes: tuple[Fault, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CorpusDataset(Dataset):
    """`corpora` holds each part's tokens, int64 [T]. A sample is `steps` tokens with the same shifted on by one.

    "sequential": row b of a batch goes on where row b of the batch before ended, so that a hidden state may be carried
    over. "random": every sample is a window of its own, in an order drawn anew each epoch. A shuffled epoch begins at a
    place below `steps` drawn from (seed, epoch), so that the windows are cut elsewhere each time
    (https://d2l.ai/chapter_recurrent-neural-networks/language-model.html).
    """

    corpora: dict[str, Tensor]
    steps: int
    partition: str
    _moved: dict[Any, Tensor] = field(default_factory=dict[Any, Tensor], repr=False)

    @property
    def continues(self) -> bool:
        """Whether the rows of a batch go on from those of the batch before."""
        return self.partition == "sequential"

    def batches(
        self,
        part: str,
        batch_size: int,
        *,
        seed: int = 0,
        epoch: int = 0,
        start: int = 0,
        shuffle: bool = False,
        augment: bool = False,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        if not self.sizes[part]:
            return
        first = 0
        if shuffle:
            first = int(torch.randint(self._room(part), (), generator=stream(seed, "offset", epoch)))
        if (part, device) not in self._moved:
            self._moved[part, device] = self.corpora[part].to(device)
        tokens = self._moved[part, device][first:]
        count = self.batch_count(part, batch_size)
        if self.continues:
            yield from self._rows(tokens, min(batch_size, self.sizes[part]), range(start, count))
        else:
            windows = order(self.sizes[part], seed, epoch) if shuffle else torch.arange(self.sizes[part])
            yield from self._drawn(tokens, windows.split(batch_size)[start:])

    def _rows(self, tokens: Tensor, rows: int, numbers: range) -> Iterator[tuple[Tensor, Tensor]]:
        length = (len(tokens) - 1) // rows
        x = tokens[: rows * length].view(rows, length)
        y = tokens[1 : rows * length + 1].view(rows, length)
        for number in numbers:
            place = slice(number * self.steps, (number + 1) * self.steps)
            yield x[:, place], y[:, place]

    def _drawn(self, tokens: Tensor, batches: tuple[Tensor, ...]) -> Iterator[tuple[Tensor, Tensor]]:
        within = torch.arange(self.steps + 1, device=tokens.device)
        for windows in batches:
            pieces = tokens[windows.to(tokens.device).unsqueeze(1) * self.steps + within]
            yield pieces[:, :-1], pieces[:, 1:]

    def batch_count(self, part: str, batch_size: int) -> int:
        if not self.sizes[part]:
            return 0
        if self.continues:
            # Where the text is too short for so many rows, there are fewer.
            length = (len(self.corpora[part]) - self._room(part)) // min(batch_size, self.sizes[part])
            return -(-length // self.steps)
        return -(-self.sizes[part] // batch_size)

    def with_corpora(self, corpora: Mapping[str, Tensor]) -> "CorpusDataset":
        """The same data set with other tokens, int64 [T], in each part."""
        sizes = {part: _windows(len(tokens), self.steps) for part, tokens in corpora.items()}
        return replace(self, corpora=dict(corpora), sizes=sizes, recipe=None, _moved={})

    def _room(self, part: str) -> int:
        return _room(len(self.corpora[part]), self.steps)

    def fingerprint(self) -> str:
        tokens = self.target.vocabulary.tokens if isinstance(self.target, Tokens) else ()
        return digest([checksum(self.corpora[part]) for part in PARTS], tokens, self.steps, self.partition)

    def facts(self) -> dict[str, Any]:
        tokens = {part: len(self.corpora[part]) for part in PARTS}
        return {**super().facts(), "tokens": tokens, "steps": self.steps, "partition": self.partition}


def corpus_dataset(name: str, corpus: Corpus, options: Options, origin: Origin) -> CorpusDataset:
    """A data set of running text. What has no validation or test part of its own holds out its end: the test part last,
    validation before it. The vocabulary is that of the training part alone.
    """
    refuse_unfit(options, name, RUNNING_TEXT, ("auto",))
    if options.fold or options.group is not None or options.time is not None:
        fail("data.text-by-position", name=name)
    kind = options.tokens or corpus.tokens
    texts = {"train": corpus.train, "validation": corpus.validation, "test": corpus.test}
    cuts = {part: cut(text or "", kind, spaced=corpus.spaced) for part, text in texts.items()}
    _hold_out(cuts, corpus, options)
    steps = options.steps or USUAL_STEPS
    for part in PARTS:
        share = {"train": 1.0, "validation": 0.0 if options.refit else options.validation, "test": options.test}[part]
        if len(cuts[part]) <= steps and (cuts[part] or share):
            fail("data.text-too-short", part=part, count=len(cuts[part]), steps=steps, wanted=steps + 1)
    reserved = RESERVED if kind == "characters" else (*RESERVED, END_OF_LINE)
    vocabulary = Vocabulary.of(
        [cuts["train"]], kind, min_frequency=options.min_frequency or 1, reserved=reserved, spaced=corpus.spaced
    )
    corpora = {part: vocabulary.encode_tokens(cuts[part]) for part in PARTS}
    return CorpusDataset(
        name=name,
        sample_shape=(steps,),
        sizes={part: _windows(len(corpora[part]), steps) for part in PARTS},
        target=Tokens(vocabulary),
        encoder=TextEncoder(vocabulary, 1),
        vocabulary=vocabulary,
        notes=(*corpus.notes, *_unknown(cuts, vocabulary)),
        origin=origin,
        corpora=corpora,
        steps=steps,
        partition=options.partition or "sequential",
    )


def _room(count: int, steps: int) -> int:
    """From how many places an epoch may begin, so that each has as many batches as any other."""
    return min(steps, count - steps)


def _windows(count: int, steps: int) -> int:
    """How many samples of `steps` tokens lie in a part of `count` tokens, wherever an epoch begins."""
    return (count - _room(count, steps)) // steps if count > steps else 0


def _hold_out(cuts: dict[str, list[str]], corpus: Corpus, options: Options) -> None:
    """Cut off the end of the training text for the parts that did not come. In place."""
    tokens = cuts["train"]
    test = 0 if corpus.test is not None else round(len(tokens) * options.test)
    validation = 0 if corpus.validation is not None else round(len(tokens) * options.validation)
    if not (options.validation >= 0 and options.test >= 0 and options.validation + options.test < 1):
        fail("data.shares", validation=options.validation, test=options.test)
    first = len(tokens) - test - validation
    if corpus.validation is None:
        cuts["validation"] = tokens[first : first + validation]
    if corpus.test is None:
        cuts["test"] = tokens[first + validation :]
    cuts["train"] = tokens[:first]
    if options.refit:
        cuts["train"] = cuts["train"] + cuts["validation"]
        cuts["validation"] = []


def _unknown(cuts: dict[str, list[str]], vocabulary: Vocabulary) -> Iterator[Fault]:
    """A note for each part with tokens that the training part lacks; a "<unk>" that stands in the text is none."""
    for part in ("validation", "test"):
        count = sum(token not in vocabulary.numbers for token in cuts[part])
        if count:
            share = f"{count / len(cuts[part]):.1%}"
            yield Fault("data.unknown-tokens", {"part": part, "count": count, "share": share})
