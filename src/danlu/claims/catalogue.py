"""All claims, one line each, by what can be told of them without testing any."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from danlu.base.errors import fail, nearest
from danlu.base.naming import spelled
from danlu.claims import notes

Kind = Literal["identity", "effect", "demonstration"]


@dataclass(frozen=True)
class ClaimEntry:
    """A claim by its id: its kind, the data it is tested on by default, about how many minutes that takes on two
    cores, and the `claim` itself, which is imported when it is first asked for."""

    id: str
    kind: Kind
    data: str
    minutes: float
    claim: Callable[[], Any]


CLAIMS: dict[str, ClaimEntry] = {
    one.id: one
    for one in (
        ClaimEntry("linear-layers-collapse", "identity", "", 0.1, lambda: notes.LINEAR_LAYERS_COLLAPSE),
        ClaimEntry("momentum-helps", "effect", "digits", 1.0, lambda: notes.MOMENTUM_HELPS),
    )
}


def entry_of(claim: str) -> ClaimEntry:
    """The claim called `claim`, in whatever spelling. UserError where there is none.

    >>> entry_of("Momentum_Helps").id
    'momentum-helps'
    """
    found = spelled(claim, CLAIMS)
    if found is None:
        fail("claims.unknown", name=claim, names=", ".join(CLAIMS), hint=nearest(str(claim).lower(), CLAIMS))
    return CLAIMS[found]
