"""Texts with a tag for each token: numbers of tokens and of tags, padded to one length."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch

from danlu.base.errors import Fault, Faults, fail
from danlu.base.naming import listed
from danlu.data.dataset import Encoder, Origin, RawSamples
from danlu.data.memory import MemoryDataset
from danlu.data.options import TEXTS, Options, refuse_unfit
from danlu.data.place_labels import TokenLabels
from danlu.data.portions import carve, gather, shared_rows
from danlu.data.text.encoders import TextEncoder, pad_tags, pad_tokens
from danlu.data.text.tagged_texts import Tagged
from danlu.data.tokens import cut
from danlu.data.vocabulary import Vocabulary

# What stands once in the training part is unknown: so the net learns what to say of words that it never met.
LEAST = 2
_MOST_TOLD = 20
_MOST_FAULTS = 10


def tagged_dataset(name: str, pools: Mapping[str, Tagged], options: Options, origin: Origin) -> MemoryDataset:
    """A data set of tagged sentences by part; vocabulary and tags are those of the training part, and a tag that only
    another part has counts nowhere.
    """
    refuse_unfit(options, name, TEXTS, ("auto", "tagging"))
    tokens = [list(one) for pool in pools.values() for one in pool.tokens]
    tags = [[str(tag) for tag in one] for pool in pools.values() for one in pool.tags]
    _refuse_unmatched(pools)
    places = torch.arange(len(tokens)).split([len(pool.tokens) for pool in pools.values()])
    numbered = {part: (place, torch.zeros(len(place))) for part, place in zip(pools, places, strict=True)}
    portions = carve(numbered, options)
    order, _, sizes = gather(portions)
    rows = order.tolist()
    notes = [note for pool in pools.values() for note in pool.notes]
    if options.steps is not None and (long := sum(len(one) > options.steps for one in tokens)):
        notes.append(Fault("data.texts-cut", {"count": long, "steps": options.steps}))
        tokens, tags = ([one[: options.steps] for one in some] for some in (tokens, tags))
    trained = rows[: sizes["train"]]
    least = options.min_frequency or LEAST
    kind = options.tokens or "words"
    vocabulary = Vocabulary.of([tokens[row] for row in trained], kind, min_frequency=least, spaced=kind == "words")
    target = _target([tags[row] for row in trained])
    y = pad_tags([tags[row] for row in rows], target)
    x = pad_tokens([vocabulary.encode_tokens(tokens[row]) for row in rows], 1)
    told = {"count": target.outputs, "tags": listed(target.values, _MOST_TOLD), "sentences": len(rows)}
    unseen = sorted({tag for one in tags for tag in one} - set(target.values))
    if unseen:
        notes.append(Fault("data.tags-unseen", {"tags": listed(unseen, _MOST_TOLD)}))
    return MemoryDataset(
        name=name,
        sample_shape=tuple(x.shape[1:]),
        sizes=sizes,
        target=target,
        encoder=TextEncoder(vocabulary, x.shape[1]),
        vocabulary=vocabulary,
        notes=(Fault("data.told-tags", told | {"least": least}), *notes, *shared_rows(portions, x, y)),
        origin=origin,
        numbers=order,
        x=x,
        y=y,
    )


def raw_tagged(pools: Mapping[str, Tagged], numbers: list[int], encoder: Encoder) -> RawSamples:
    """Sentences by their numbers, as lists of tokens, with their tags."""
    tokens = [list(one) for pool in pools.values() for one in pool.tokens]
    tags = [[str(tag) for tag in one] for pool in pools.values() for one in pool.tags]
    length = encoder.length if isinstance(encoder, TextEncoder) else None
    return RawSamples("texts", [tokens[row][:length] for row in numbers], [tags[row][:length] for row in numbers])


def is_tagged(x: Any, y: Any) -> bool:
    """Whether x is sentences as lists of tokens, and y something with a part for each token.

    >>> is_tagged([["a", "b"], ["c"]], [["X", "Y"], ["X"]]), is_tagged(["a"], ["X"]), is_tagged([["a"]], [0])
    (True, False, False)
    """
    if not isinstance(x, list | tuple) or not isinstance(y, list | tuple):
        return False
    sentences, tags = cast(Sequence[Any], x), cast(Sequence[Any], y)
    lists = all(
        isinstance(one, list | tuple) and all(isinstance(token, str) for token in cast(Sequence[Any], one))
        for one in sentences
    )
    return lists and any(sentences) and any(isinstance(one, list | tuple | str) for one in tags)


def tagged_pair(x: Any, y: Any, kind: str | None = None) -> Tagged:
    """Sentences and tags as they are given: lists of lists, or texts whose tokens and tags blanks divide (the tokens of
    "characters" are those of each text). UserError where there are not as many of both.
    """
    sentences, tags = list(x), list(y)
    if len(sentences) != len(tags):
        fail("data.lengths-differ", x=len(sentences), y=len(tags))
    faults = Faults()
    for row, one in enumerate(tags):
        if isinstance(one, str | bytes) or not hasattr(one, "__iter__"):
            if not isinstance(one, str):
                faults.add("data.tags-wanted", row=row + 1, found=type(one).__name__)
            tags[row] = str(one).split()
        else:
            tags[row] = [str(tag) for tag in one]
    faults.raise_if_any()
    whole = [cut(one, kind or "words", spaced=True) if isinstance(one, str) else list(one) for one in sentences]
    return Tagged(whole, tags)


def _target(tags: Sequence[Sequence[str]]) -> TokenLabels:
    found = sorted({tag for one in tags for tag in one})
    if len(found) < 2:
        fail("data.tags-one", found=", ".join(found) or "-")
    return TokenLabels(tuple(found))


def _refuse_unmatched(pools: Mapping[str, Tagged]) -> None:
    """UserError for sentences that have another number of tags than of tokens, or none of both."""
    faults, count = Faults(), 0
    for part, pool in pools.items():
        for row, (tokens, tags) in enumerate(zip(pool.tokens, pool.tags, strict=True), start=1):
            if len(tokens) == len(tags) > 0:
                continue
            count += 1
            if count <= _MOST_FAULTS:
                values = {"part": part, "row": row, "tokens": len(tokens), "tags": len(tags)}
                faults.add("data.tags-unmatched", text=" ".join(tokens)[:60], **values)
    faults.raise_if_any()
