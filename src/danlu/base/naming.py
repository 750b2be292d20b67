"""Names as people spell them."""

from collections.abc import Iterable


def spelled(word: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `word` spells: capitals, "-", "_" and spaces do not count; None where there is none.

    >>> spelled("CrossEntropy", ["mse", "cross-entropy"])
    'cross-entropy'
    """
    return next((name for name in names if _bare(name) == _bare(word)), None)


def _bare(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "").replace(" ", "")
