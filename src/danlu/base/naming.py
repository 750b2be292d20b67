"""Names as people spell them."""

from collections.abc import Iterable


def spelled(word: object, names: Iterable[str]) -> str | None:
    """The one of `names` that `word` spells: capitals, "-", "_" and spaces do not count; None where there is none, as
    for what is no word at all.

    >>> spelled("CrossEntropy", ["mse", "cross-entropy"])
    'cross-entropy'
    """
    if not isinstance(word, str):
        return None
    return next((name for name in names if _bare(name) == _bare(word)), None)


def _bare(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "").replace(" ", "")
