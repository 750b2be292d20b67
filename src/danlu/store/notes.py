"""What its reader wrote beside a run or a study: notes.json, never its journal.

{"title": "the good one", "tags": ["paper"], "star": true, "note": "Markdown", "archived": false}
"""

import json
import stat
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

from danlu.base.errors import Faults, fail
from danlu.base.files import TEMPORARY, discard, replace_file
from danlu.base.strict_json import to_json

NAME = "notes.json"
LONGEST_TITLE, LONGEST_TAG, MOST_TAGS, LONGEST_NOTE = 100, 40, 30, 20_000
_MOST_BYTES = 2**18
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@dataclass(frozen=True)
class Notes:
    """`title` stands in lists in place of the folder's name, which stays; `archived` ones are left out of lists."""

    title: str = ""
    tags: tuple[str, ...] = ()
    star: bool = False
    note: str = ""
    archived: bool = False

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Those of a run or a study; none where there is no such file, or it cannot be understood.

        >>> Notes.read(Path("nowhere"))
        Notes(title='', tags=(), star=False, note='', archived=False)
        """
        return cls._of(_object(folder) or {})

    @classmethod
    def change(cls, folder: Path, changes: Mapping[str, Any]) -> Self:
        """Set some of them, by name, and keep the others, also those that only a newer danlu knows.

        The file is replaced at once and durably: after a crash it is the old one or the new one. UserError for what
        does not fit and where the file that stands there is damaged; StorageError for what the disk refuses.
        """
        _check(changes)
        found = _object(folder)
        if found is None:
            fail("listing.notes-damaged", path=folder / NAME)
        told = {**found, **changes}
        # Who handed the folder over may have put a link there, through which it would be written elsewhere.
        discard([folder / f"{TEMPORARY}{NAME}"])
        replace_file(folder / NAME, to_json(told, indent=2).encode() + b"\n")
        return cls._of(told)

    @classmethod
    def _of(cls, found: Mapping[str, Any]) -> Self:
        told = cls()
        for key, value in found.items():
            if key in _FITS and _FITS[key](value):
                told = replace(told, **{key: tuple(value) if key == "tags" else value})
        return told


NO_NOTES = Notes()


def _object(folder: Path) -> dict[str, Any] | None:
    """What stands in the file; None where that is damaged."""
    path = folder / NAME
    try:
        if not stat.S_ISREG(path.lstat().st_mode):  # a link would lead out of the folder
            return None
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError):
        return None
    return cast(dict[str, Any], found) if isinstance(found, dict) else None


def _is_line(text: Any, longest: int) -> bool:
    return isinstance(text, str) and len(text) <= longest and _is_plain(text)


def _is_plain(text: str, *, but: str = "") -> bool:
    return all(sign in but or unicodedata.category(sign) not in _UNPRINTABLE for sign in text)


def _are_tags(found: Any) -> bool:
    if not isinstance(found, list | tuple) or len(cast(Sequence[Any], found)) > MOST_TAGS:
        return False
    tags = cast(Sequence[Any], found)
    plain = [tag for tag in tags if _is_line(tag, LONGEST_TAG) and tag == tag.strip() and tag and "," not in tag]
    return len(set(plain)) == len(tags)


_FITS: dict[str, Callable[[Any], bool]] = {
    "title": lambda found: _is_line(found, LONGEST_TITLE) and found == found.strip(),
    "tags": _are_tags,
    "star": lambda found: isinstance(found, bool),
    "note": lambda found: isinstance(found, str) and len(found) <= LONGEST_NOTE and _is_plain(found, but="\n\t\u200d"),
    "archived": lambda found: isinstance(found, bool),
}


def _check(changes: Mapping[str, Any]) -> None:
    """UserError for each that is none of them, or does not fit."""
    faults = Faults()
    limits = {"title": LONGEST_TITLE, "tag": LONGEST_TAG, "tags": MOST_TAGS, "note": LONGEST_NOTE}
    for key, value in changes.items():
        if key not in _FITS:
            faults.add("listing.notes-unknown", key=str(key)[:LONGEST_TAG])
        elif not _FITS[key](value):
            faults.add(f"listing.notes-{key}", **limits)
    faults.raise_if_any()
