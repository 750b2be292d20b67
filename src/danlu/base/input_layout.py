"""Several inputs of one net as one row of numbers a sample: which columns are whose, and what they become again."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["numbers", "whole", "flags", "bytes"]
"""Floating-point numbers; whole numbers; true and false; bytes of 0 to 255 of an image, which become 0 to 1."""


@dataclass(frozen=True)
class Piece:
    """One input: its name ("0", "1" … where it has none), the shape of a sample, what its numbers are."""

    name: str
    shape: tuple[int, ...]
    kind: Kind

    @property
    def size(self) -> int:
        """How many numbers a sample has.

        >>> Piece("image", (1, 8, 8), "bytes").size
        64
        """
        return math.prod(self.shape)


@dataclass(frozen=True)
class InputLayout:
    """The inputs side by side in a row; `named` ones go to the net's forward by their names, others in their order."""

    pieces: tuple[Piece, ...]
    named: bool

    @property
    def width(self) -> int:
        """The numbers of a row.

        >>> InputLayout((Piece("0", (3,), "numbers"), Piece("1", (), "whole")), named=False).width
        4
        """
        return sum(piece.size for piece in self.pieces)

    @property
    def names(self) -> tuple[str, ...]:
        """What the inputs are called."""
        return tuple(piece.name for piece in self.pieces)

    @property
    def columns(self) -> tuple[slice, ...]:
        """Which columns of a row each input has."""
        ends = [sum(piece.size for piece in self.pieces[: number + 1]) for number in range(len(self.pieces))]
        return tuple(slice(end - piece.size, end) for piece, end in zip(self.pieces, ends, strict=True))

    def as_plain(self) -> dict[str, Any]:
        """The layout as values that JSON can hold."""
        pieces = [{"name": one.name, "shape": list(one.shape), "numbers": one.kind} for one in self.pieces]
        return {"named": self.named, "pieces": pieces}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "InputLayout":
        """What `as_plain` gave. KeyError, TypeError or ValueError where it is not of that form.

        >>> layout = InputLayout((Piece("a", (2,), "numbers"),), named=True)
        >>> InputLayout.from_plain(layout.as_plain()) == layout
        True
        """
        pieces: Sequence[Mapping[str, Any]] = plain["pieces"]
        kinds: dict[str, Kind] = {"numbers": "numbers", "whole": "whole", "flags": "flags", "bytes": "bytes"}
        made = (Piece(str(one["name"]), tuple(map(int, one["shape"])), kinds[one["numbers"]]) for one in pieces)
        return cls(tuple(made), bool(plain["named"]))
