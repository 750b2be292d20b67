"""What readers of tagged sentences give."""

from collections.abc import Sequence
from dataclasses import dataclass

from danlu.base.errors import Fault


@dataclass(frozen=True)
class Tagged:
    """Sentences, each a list of tokens, with as many tags."""

    tokens: Sequence[Sequence[str]]
    tags: Sequence[Sequence[str]]
    notes: tuple[Fault, ...] = ()
