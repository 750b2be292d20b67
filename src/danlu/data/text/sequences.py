"""Texts with a label each: numbers of tokens, padded to one length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, fail
from danlu.data.dataset import Origin
from danlu.data.memory import MemoryDataset
from danlu.data.options import TEXTS, Options, refuse_unfit
from danlu.data.portions import carve, gather, shared_rows
from danlu.data.targets import Labels
from danlu.data.text.encoders import TextEncoder, pad_tokens
from danlu.data.tokens import cut
from danlu.data.vocabulary import Vocabulary

TextPool = tuple[Sequence[str], Tensor]
"""Texts, and their class indices int64 [N]."""


@dataclass(frozen=True)
class Texts:
    """What a reader of labelled texts gives: the training pool, the official test pool, the classes."""

    train: TextPool
    test: TextPool | None
    classes: tuple[str, ...]
    tokens: str = "characters"


def text_dataset(
    name: str,
    pools: Mapping[str, TextPool],
    target: Labels,
    options: Options,
    tokens: str,
    origin: Origin,
    lines: "numpy.ndarray[Any, Any] | None" = None,
) -> MemoryDataset:
    """A data set of labelled texts; the vocabulary is that of the training part alone. `lines` are those of the texts
    in the file that they stand in.
    """
    refuse_unfit(options, name, TEXTS, ("auto", "classification"))
    kind = options.tokens or tokens
    texts = [text for pool, _ in pools.values() for text in pool]
    _refuse_empty(texts)
    # The split is drawn over the texts' numbers: what they are made of is known only when the training part is.
    places = torch.arange(len(texts)).split([len(pool) for pool, _ in pools.values()])
    portions = carve({part: (place, pools[part][1]) for part, place in zip(pools, places, strict=True)}, options)
    order, y, sizes = gather(portions)
    cuts = [cut(texts[place], kind) for place in order.tolist()]
    vocabulary = Vocabulary.of(cuts[: sizes["train"]], kind, min_frequency=options.min_frequency or 1)
    notes: tuple[Fault, ...] = ()
    if options.steps is not None and (long := sum(len(one) > options.steps for one in cuts)):
        notes = (Fault("data.texts-cut", {"count": long, "steps": options.steps}),)
        cuts = [one[: options.steps] for one in cuts]
    x = pad_tokens([vocabulary.encode_tokens(one) for one in cuts], 1)
    return MemoryDataset(
        name=name,
        sample_shape=tuple(x.shape[1:]),
        sizes=sizes,
        target=target,
        encoder=TextEncoder(vocabulary, x.shape[1]),
        vocabulary=vocabulary,
        notes=(*notes, *shared_rows(portions, x, y, lines)),
        origin=origin,
        numbers=order,
        lines=None if lines is None else torch.from_numpy(lines)[order],
        x=x,
        y=y,
    )


def _refuse_empty(texts: Sequence[Any]) -> None:
    wrong = [row for row, text in enumerate(texts, start=1) if not isinstance(text, str) or not text.strip()]
    if wrong:
        fail("data.empty-texts", count=len(wrong), row=wrong[0])
