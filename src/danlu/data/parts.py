"""The parts of a data set, and the words that people have for them."""

PARTS = ("train", "validation", "test")
_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing"),
}


def part_of(word: str) -> str | None:
    """The part that `word` means, None where it means none.

    >>> part_of("dev"), part_of("Train"), part_of("cats")
    ('validation', 'train', None)
    """
    return next((part for part, words in _WORDS.items() if word.lower() in words), None)
