"""What a data set is to the rest of danlu: its parts, its batches, and what is known of it."""

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Protocol

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, fail
from danlu.base.readable import Readable
from danlu.base.recipe import DataRecipe
from danlu.base.seeds import derive
from danlu.base.strict_json import canonical_json
from danlu.base.words import say
from danlu.data.options import Fold, Options
from danlu.data.targets import CLASSED, Quantities, Target
from danlu.data.vocabulary import Vocabulary


class Encoder(Protocol):
    """Turns raw samples, as the user has them, into what the net takes."""

    def encode(self, raw: Any) -> Tensor: ...

    def facts(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Origin:
    """Where the samples come from, as far as it is known."""

    path: str | None = None
    licence: str | None = None
    source: str | None = None
    title: str | None = None
    bundled: bool = False  # inside a library that is installed


Builder = Callable[[Options], "Dataset"]
"""Makes a data set of a source that has been read."""


@dataclass(frozen=True)
class RawSamples:
    """N samples as their source holds them, of one `kind`, as `run.predict` takes them.

    "table": a dict of columns, each a list of N numbers, booleans, texts, or None where missing. "pictures": a list of
    N arrays uint8 [C, H, W], upright, in their own sizes. "numbers": an array [N, …]. "texts": a list of N texts, or of
    N lists of tokens. "several": a dict of arrays [N, …] by the names of a net's several inputs. "series": a list of N
    windows, each a dict of columns.
    `targets` are the N labels or numbers that stand with them; None where the task has none.
    """

    kind: str
    samples: Any
    targets: list[Any] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.samples.values()), ())) if isinstance(self.samples, dict) else len(self.samples)


@dataclass(frozen=True, eq=False)
class ReadSource:
    """A Builder that can also hand out samples as they were read: `raw` takes their numbers (of all that the source
    holds, its parts one behind the other) and the encoder that was fitted to them.
    """

    build: Builder
    raw: Callable[[list[int], Encoder], RawSamples] | None

    def __call__(self, options: Options) -> "Dataset":
        return self.build(options)


@dataclass(frozen=True)
class Making:
    """How a data set was made: `read` reads its source again and gives a builder, which was given `options`."""

    read: Callable[[], Builder]
    options: Options


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Dataset(Readable, ABC):
    """Samples with their split into train, validation and test, and what is known of them.

    `sample_shape` is the shape of one sample as the net sees it; `sizes` counts the samples of each part; `notes` tells
    what was decided for the user (columns dropped, values imputed).
    """

    name: str
    sample_shape: tuple[int, ...]
    sizes: dict[str, int]
    target: Target
    encoder: Encoder
    vocabulary: Vocabulary | None = None  # of texts
    notes: tuple[Fault, ...] = ()
    origin: Origin = field(default_factory=Origin)
    recipe: DataRecipe | None = None  # what loads it again; None where it was made of objects in memory
    making: Making | None = field(default=None, repr=False)
    numbers: Tensor | None = field(default=None, repr=False)  # of the samples in their source, part behind part

    @property
    def task(self) -> str:
        """One of "classification", "regression", "multi-label" (any number of labels a sample), "segmentation" (a
        class a pixel), "tagging" (a tag a token), "language" (the next token of a text) and "reconstruction" (of the
        sample itself).
        """
        return self.target.task

    @property
    def continues(self) -> bool:
        """Whether the rows of a batch go on from those of the batch before, so that a hidden state may be kept."""
        return False

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, or labels, as spelled in the data, in the order of their indices; empty for other tasks."""
        return self.target.names if isinstance(self.target, CLASSED) else ()

    @property
    def outputs(self) -> int:
        """Number of classes, of labels, of regression targets, or of the tokens in the vocabulary."""
        return self.target.outputs

    def balanced(self) -> "Dataset":
        """The data whose shuffled training part has as many samples of each class. UserError where that cannot be."""
        return fail("data.balance-streamed", name=self.name)

    def weighted(self) -> "Dataset | None":
        """The data whose targets [N, 1 + T] begin with the weight of the sample; None where all count alike."""
        return None

    def shared(self, slice_of: Callable[[int], tuple[int, int]]) -> "Dataset | None":
        """The data of which a training batch is read in part: of so many samples those from here to there; where these
        are none, the first. None where a batch is read as a whole, as it is cheap to.
        """
        return None

    def class_counts(self) -> tuple[int, ...] | None:
        """How many samples of the training part each class has; None where that is not known, or there are none."""
        return None

    @property
    def rare_class(self) -> int | None:
        """The rarest class, where less than a tenth of the samples is of it and less than half of what would be its
        share if all classes were equally frequent; None where there is none. Of all samples but the test part's, so
        that it is one class in all folds.
        """
        return None

    @property
    def own_batch_size(self) -> int | None:
        """How large the training batches are where the data come in batches of their own, whatever is asked for."""
        return None

    @property
    def target_scale(self) -> Tensor:
        """What a standardised target was divided by: float64 [outputs]; 1 where nothing was done to it."""
        return torch.tensor(self._quantities().scale, dtype=torch.float64)

    @property
    def naive_error(self) -> float | None:
        """Of a time series, the naive forecast's mean absolute error on the training part, in the target's unit."""
        return self.target.naive if isinstance(self.target, Quantities) else None

    @property
    def bounds(self) -> Tensor | None:
        """Between which outputs a regression's answers are kept: float64 [2, outputs]; None where they are not."""
        return self.target.bounds if isinstance(self.target, Quantities) else None

    def limited(self, wanted: bool) -> "Dataset":
        """The data whose answers, of a regression, stay within the training targets' range, or whose do not."""
        if not isinstance(self.target, Quantities) or self.target.limited == wanted:
            return self
        return replace(self, target=replace(self.target, limited=wanted))

    @abstractmethod
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
        """The batches (x, y) of `part` in `epoch`, from batch number `start` on; the last one may be smaller.

        x is [B, *sample_shape] in `dtype`, tokens are int64; y is int64 [B] for classification, `dtype` [B, outputs]
        for regression and labels (0 or 1), int64 [B, T] for language and tagging, int64 [B, H, W] for segmentation,
        `danlu.base.ignored.IGNORED` where a place has no target. With `shuffle` the order is
        `danlu.base.seeds.order(n, seed, epoch)`, whatever `start` is. With `augment` the data's transforms are drawn
        and done: for training, not for scoring.
        """

    @abstractmethod
    def batch_count(self, part: str, batch_size: int) -> int:
        """How many batches `batches` yields from the start of an epoch."""

    @abstractmethod
    def fingerprint(self) -> str:
        """16 hex digits of the content and its split."""

    def facts(self) -> dict[str, Any]:
        """What `danlu data NAME` tells, as plain values that JSON can hold."""
        return {
            "name": self.name,
            "task": self.task,
            "sizes": dict(self.sizes),
            "sample_shape": list(self.sample_shape),
            "outputs": self.outputs,
            "title": self.origin.title,
            "licence": self.origin.licence,
            "source": self.origin.source,
            "path": self.origin.path,
            "bundled": self.origin.bundled,
            "notes": [str(note) for note in self.notes],
            **self.target.facts(),
            **self.encoder.facts(),
        }

    def __str__(self) -> str:
        """Name, task, shapes and sizes, and what was decided for the user."""
        kind = say(f"data.text-{self.task}", outputs=self.outputs)
        shape = "×".join(map(str, self.sample_shape)) or "1"
        head = say("data.text", name=self.name, kind=kind, shape=shape, **self.sizes)
        return "\n".join([head, *(f"! {note}" for note in self.notes)])

    def folds(self, count: int, *, repeats: int = 1, seed: int = 0) -> "Iterator[Dataset]":
        """The same data `count` times (k-fold cross-validation): in each another fold of what is not the test part is
        the validation part, and the rest is trained on. All that is measured (means, categories, vocabulary) is
        measured on the new training part; the test part stays as it is.

        Folds are stratified by class; with `group` no group is in two of them; with `time` fold i is the i-th of
        `count` equal stretches behind a first one, and only what lies before it is trained on. `repeats` goes on with
        folds drawn anew. The source is read once more. Raises UserError where there are too few samples or groups, or
        where data have no folds (a text, a stream).

        >>> from danlu.data import load
        >>> [fold.sizes["validation"] for fold in load("iris").folds(4)]
        [30, 30, 30, 30]
        """
        if self.making is None:
            fail("data.no-folds", name=self.name)
        build, options = self.making.read(), replace(self.making.options, refit=False)
        whole = self.recipe and replace(self.recipe, refit=None)
        for repeat in range(repeats):
            fold_seed = derive(seed, "repeat", repeat) if repeat else seed
            for index in range(count):
                making = replace(self.making, options=replace(options, fold=Fold(index, count, fold_seed)))
                recipe = whole and replace(whole, fold=(index, count), fold_seed=fold_seed or None)
                yield replace(build(making.options), recipe=recipe, making=making)

    def leave_one_out(self) -> "Iterator[Dataset]":
        """As many folds as samples: each is the validation part once, alone."""
        return self.folds(self.sizes["train"] + self.sizes["validation"])

    def refit(self) -> "Dataset":
        """The same data with the validation part trained on as well, for the last training, when all is chosen: it is
        scored once, on the test part, which stays as it is. The source is read once more.

        >>> from danlu.data import load
        >>> load("iris").refit().sizes
        {'train': 120, 'validation': 0, 'test': 30}
        """
        if self.making is None:
            fail("data.no-folds", name=self.name)
        making = replace(self.making, options=replace(self.making.options, fold=None, refit=True))
        recipe = self.recipe and replace(self.recipe, fold=None, fold_seed=None, refit=True)
        return replace(self.making.read()(making.options), recipe=recipe, making=making)

    def encode(self, raw: Any) -> Tensor:
        """Raw samples, as the user has them, as what the net takes: float32 [N, *sample_shape], or int64 tokens."""
        return self.encoder.encode(raw)

    def describe(self, part: str, number: int, sample: Tensor) -> str:
        """What to call sample `number` (from 0) of a part, of which the net saw `sample`: a row of a table by its file,
        line and features, any other by its number.
        """
        return f"#{number + 1}"

    def decode(self, outputs: Tensor) -> "numpy.ndarray[Any, Any] | str":
        """Class indices [N] as labels in their original type; regression outputs [N, outputs] in the target's unit;
        numbers of tokens [T] as text.
        """
        return self.target.decode(outputs)

    def _quantities(self) -> Quantities:
        assert isinstance(self.target, Quantities), "a classification target has no mean and scale"
        return self.target


def checksum(*tensors: Tensor) -> list[int]:
    """CRC-32 of each tensor's bytes: a few GB a second, which a cryptographic hash is not."""
    return [zlib.crc32(tensor.contiguous().flatten().view(torch.uint8).numpy().data) for tensor in tensors]


def digest(*facts: Any) -> str:
    """16 hex digits of plain facts."""
    return blake2b(canonical_json(facts).encode(), digest_size=8).hexdigest()
