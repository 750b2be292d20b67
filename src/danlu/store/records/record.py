"""What all records have in common: a word for their kind, and the way to JSON and back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from danlu.store.records.reading import read_fields, written_fields

Numbers = Sequence[float | None] | None
"""A list of numbers, null where one was not measured; null where none was."""

VERSION = 2
"""Of the format. 1 is that of danlu 0.1, which writes none. A journal of a newer danlu is read as far as it is known:
kinds and keys that are not are passed over."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A line of a journal: `kind` is the word that it goes by, its fields are the other keys.

    A reader passes over keys that it does not know, and a key that is missing or null holds its default. A value of
    another type makes the whole line malformed.
    """

    kind: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """The object that stands in the journal."""
        return {"kind": self.kind, **written_fields(self)}

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """The record that `to_json` wrote. MalformedRecordError where the object is none."""
        record: Self = read_fields(cls, entry)
        record.check()
        return record

    def check(self) -> None:
        """MalformedRecordError where fields contradict each other."""
