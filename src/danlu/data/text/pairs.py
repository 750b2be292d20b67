"""Pairs of texts, a source and its target: numbers of tokens, padded to one length, as an encoder–decoder takes."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from danlu.base.errors import Fault, fail
from danlu.base.token_numbers import END
from danlu.data.dataset import Encoder, Origin, RawSamples, checksum
from danlu.data.memory import MemoryDataset
from danlu.data.options import TEXTS, Options, refuse_unfit
from danlu.data.portions import carve, gather, shared_rows
from danlu.data.text.encoders import SourceEncoder, packed
from danlu.data.tokens import RESERVED, cut
from danlu.data.vocabulary import Vocabulary
from danlu.data.written_text import WRITTEN, WrittenText

# Of words that stand once in the training part nothing can be learnt; a character is hardly ever a slip.
LEAST = {"words": 2, "characters": 1}
# From so many words a text on, on the average, words are the tokens.
_WORDS = 3.0


@dataclass(frozen=True)
class Pairs:
    """Texts, and what each is to become; `columns` are those of the table that they stood in, where they did."""

    sources: Sequence[Any]
    targets: Sequence[Any]
    columns: tuple[str, str] | None = None
    notes: tuple[Fault, ...] = ()
    at: Callable[[int], Fault] = lambda row: Fault("data.at-row", {"row": row + 1})


def pairs_dataset(name: str, pools: Mapping[str, Pairs], options: Options, origin: Origin) -> MemoryDataset:
    """A data set of pairs by part; both vocabularies are those of the training part."""
    refuse_unfit(options, name, TEXTS, ("auto", "translation"))
    sources = [text for pool in pools.values() for text in pool.sources]
    targets = [text for pool in pools.values() for text in pool.targets]
    _refuse_empty(pools)
    kind = options.tokens or usual_tokens(sources, targets)
    places = torch.arange(len(sources)).split([len(pool.sources) for pool in pools.values()])
    portions = carve(
        {part: (place, torch.zeros(len(place))) for part, place in zip(pools, places, strict=True)}, options
    )
    order, _, sizes = gather(portions)
    rows = order.tolist()
    cuts = [[cut(texts[row], kind) for row in rows] for texts in (sources, targets)]
    notes = [note for pool in pools.values() for note in pool.notes]
    if options.steps is not None and (long := sum(len(one) > options.steps for some in cuts for one in some)):
        notes.append(Fault("data.texts-cut", {"count": long, "steps": options.steps}))
        cuts = [[one[: options.steps] for one in some] for some in cuts]
    least = options.min_frequency or LEAST[kind]
    read, write = (
        Vocabulary.of(some[: sizes["train"]], kind, min_frequency=least, reserved=reserved)
        for some, reserved in zip(cuts, (RESERVED, WRITTEN), strict=True)
    )
    end = torch.tensor([END])
    x, y = packed(
        [read.encode_tokens(one) for one in cuts[0]], [torch.cat([write.encode_tokens(one), end]) for one in cuts[1]]
    )
    told = {"pairs": len(rows), "tokens": Fault(f"data.kind-{kind}"), "read": len(read), "write": len(write)}
    rare = (Fault("data.told-rare", {"least": least}),) if least > 1 else ()
    columns = pools["train"].columns
    words = zlib.crc32("\0".join((*read.tokens, *write.tokens)).encode())
    return MemoryDataset(
        name=name,
        sample_shape=tuple(x.shape[1:]),
        sizes=sizes,
        target=WrittenText(write),
        encoder=SourceEncoder(read, x.shape[2], columns),
        vocabulary=read,
        notes=(Fault("data.told-pairs", told), *rare, *notes, *shared_rows(portions, x, y)),
        origin=origin,
        numbers=order,
        x=x,
        y=y,
        content=(*checksum(x, y), words),
    )


def usual_tokens(sources: Sequence[str], targets: Sequence[str]) -> str:
    """Words, where texts have at least three on the average on either side; else characters.

    >>> usual_tokens(["I am here", "you go now"], ["je suis ici", "tu pars maintenant"])
    'words'
    >>> usual_tokens(["3 March 2021"], ["2021-03-03"])
    'characters'
    """
    counts = [sum(len(text.split()) for text in texts) / max(1, len(texts)) for texts in (sources, targets)]
    return "words" if min(counts) >= _WORDS else "characters"


def are_pairs(sources: Sequence[Any], targets: Sequence[Any]) -> bool:
    """Whether two columns are texts and what they become, rather than texts and their classes: both are texts, and more
    than half of all rows have a target that no other row has.

    >>> are_pairs(["a b", "c d"], ["A B", "C D"]), are_pairs(["a b", "c d", "e"], ["x", "y", "x"])
    (True, False)
    """
    if not all(isinstance(text, str | None) for texts in (sources, targets) for text in texts):
        return False
    counts: dict[Any, int] = {}
    for text in targets:
        counts[text] = counts.get(text, 0) + 1
    return 2 * sum(count == 1 for count in counts.values()) > len(targets) > 0


def raw_pairs(pools: Mapping[str, Pairs], numbers: list[int], encoder: Encoder) -> RawSamples:
    """Sources by their numbers, with their targets."""
    sources = [text for pool in pools.values() for text in pool.sources]
    targets = [text for pool in pools.values() for text in pool.targets]
    return RawSamples("texts", [sources[row] for row in numbers], [targets[row] for row in numbers])


def _refuse_empty(pools: Mapping[str, Pairs]) -> None:
    """UserError for rows that lack one of the two texts."""
    for part, pool in pools.items():
        if len(pool.sources) != len(pool.targets):
            fail("data.lengths-differ", x=len(pool.sources), y=len(pool.targets))
        pairs = list(zip(pool.sources, pool.targets, strict=True))
        wrong = [row for row, pair in enumerate(pairs) if not all(isinstance(one, str) and one.strip() for one in pair)]
        if wrong:
            fail("data.pairs-empty", part=part, count=len(wrong), at=pool.at(wrong[0]))
