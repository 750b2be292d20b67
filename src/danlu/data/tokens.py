"""A text cut into the tokens that a vocabulary numbers; without torch, so that an exported file can be asked soon."""

import re

PADDING, UNKNOWN, END_OF_LINE = "<pad>", "<unk>", "<eos>"
RESERVED = (PADDING, UNKNOWN)
KINDS = ("characters", "words")

# A word with its inner apostrophes and hyphens, or one sign of punctuation.
_WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]|\n")


def cut(text: str, kind: str, *, spaced: bool = False) -> list[str]:
    """The tokens of `text`: its characters, or its words and signs of punctuation with "<eos>" for each line's end.

    `spaced` texts have a blank around each word already.

    >>> cut("the time\\nwell-known, eh", "words")
    ['the', 'time', '<eos>', 'well-known', ',', 'eh']
    """
    if kind == "characters":
        return list(text)
    words = text.replace("\n", f" {END_OF_LINE} ").split() if spaced else _WORD.findall(text)
    return [END_OF_LINE if word == "\n" else word for word in words]
