"""Text that a terminal only shows: what comes from data, recipes and journals cannot move the cursor or hide itself."""

import re

# C0 but for tab and line feed, delete, C1, and the signs that turn the direction of writing.
_UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""The text with every such sign as its escape; half a surrogate pair too, which no terminal takes.

    >>> printable("a\x1b[31mname\r"), printable("列名 café\n")
    ('a\\x1b[31mname\\r', '列名 café\n')
    """
    shown = _UNSHOWN.sub(lambda sign: sign.group().encode("unicode_escape").decode(), text)
    return shown if shown.isascii() else shown.encode("utf-8", "backslashreplace").decode()


def typed(word: str) -> str:
    """A word as it is typed into a shell: in quotes where it holds blanks, or signs that a shell reads.

    >>> typed("runs/mine"), typed("鸢尾花.csv"), typed("my run"), typed("$1 net")
    ('runs/mine', '鸢尾花.csv', '"my run"', "'$1 net'")
    """
    if word and not _READ_BY_SHELLS.search(word):
        return word
    if not _READ_IN_QUOTES.search(word):
        return f'"{word}"'
    return "'" + word.replace("'", "'\\''") + "'"


_READ_BY_SHELLS = re.compile(r"""[\s'"`$\\!&;|<>()*?#~{}\[\]]""")
_READ_IN_QUOTES = re.compile(r"""["`$\\!]""")
