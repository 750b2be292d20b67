"""Running text of the catalogue."""

import re
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.data.readers.text_file import read_text
from danlu.data.text.corpus import Corpus
from danlu.data.text.tagged_texts import Tagged
from danlu.data.tokens import cut

_PIECE = 40  # tokens


def read_time_machine(path: Path) -> Corpus:
    """The book as small letters and blanks alone, as the notes take it."""
    letters = re.sub("[^A-Za-z]+", " ", read_text(path)[0]).strip().lower()
    return Corpus(letters, notes=(Fault("data.letters-only", {"path": path}),))


def read_capitals(path: Path) -> Tagged:
    """The book's sentences in small letters, one behind the other in pieces of 40 tokens, and for each token whether it
    had a "capital" letter at its beginning, or was all "small".
    """
    words = cut(read_text(path)[0].replace("\n", " "), "words")
    pieces = [words[first : first + _PIECE] for first in range(0, len(words), _PIECE)]
    tags = [["capital" if word[0].isupper() else "small" for word in piece] for piece in pieces]
    return Tagged([[word.lower() for word in piece] for piece in pieces], tags)


def read_wikitext(valid: Path) -> Corpus:
    """Words with blanks between them. Where the large training file is missing, the validation file is trained on."""
    test = _beside(valid, "test")
    if test is None:
        fail("data.missing-file", path=valid.with_name(valid.name.replace("valid", "test")), hint="")
    train = _beside(valid, "train")
    if train is None:
        note = Fault("data.trained-on-validation", {"path": valid.with_name(valid.name.replace("valid", "train"))})
        return Corpus(read_text(valid)[0], test=read_text(test)[0], tokens="words", spaced=True, notes=(note,))
    return Corpus(*(read_text(part)[0] for part in (train, valid, test)), tokens="words", spaced=True)


def _beside(valid: Path, part: str) -> Path | None:
    """The file of another part, gzipped or not, in the same folder."""
    name = valid.name.removesuffix(".gz").replace("valid", part)
    return next((path for path in (valid.with_name(name), valid.with_name(f"{name}.gz")) if path.is_file()), None)
