"""Names as people spell them, and as sentences list them."""

from collections.abc import Iterable
from itertools import islice


def spelled(word: object, names: Iterable[str]) -> str | None:
    """The one of `names` that `word` spells: capitals, "-", "_" and spaces do not count; None where there is none, as
    for what is no word at all.

    >>> spelled("CrossEntropy", ["mse", "cross-entropy"])
    'cross-entropy'
    """
    if not isinstance(word, str):
        return None
    return next((name for name in names if _bare(name) == _bare(word)), None)


def listed(names: Iterable[object], most: int = 10) -> str:
    """The names as a sentence lists them: of more than `most` the first, and "…".

    >>> listed("abc"), listed(range(1000), most=3)
    ('a, b, c', '0, 1, 2 …')
    """
    first = [str(name) for name in islice(names, most + 1)]
    return ", ".join(first[:most]) + (" …" if len(first) > most else "")


def _bare(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "").replace(" ", "")
