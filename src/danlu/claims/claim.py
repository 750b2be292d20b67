"""A claim: a sentence of the notes, with the plan that tests it and what carries the plan out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from danlu.claims.bench import Bench
from danlu.claims.evidence import ClaimEvidence, IdentityCheck, Plot
from danlu.claims.options import ClaimOptions
from danlu.claims.plan import ClaimPlan

Sign = Literal["agrees with the claim", "disagrees with the claim", "finds no difference"]


@dataclass(frozen=True)
class Published:
    """What was measured elsewhere: the `source`, and what it finds of the claim."""

    source: str
    finds: Sign


class Claim(Protocol):
    """What a file of `claims/notes/` holds. Its sentence and the reason why people believe it are phrases:
    notes.say-ID, notes.why-ID, and which notes say it notes.source-ID."""

    @property
    def published(self) -> Sequence[Published]: ...

    def plan(self, given: ClaimOptions) -> ClaimPlan:
        """All that is fixed before anything is trained. UserError for a plan that would not be fair."""
        ...

    def test(self, given: ClaimOptions, bench: Bench) -> ClaimEvidence:
        """Carry the plan out."""
        ...


@dataclass(frozen=True)
class IdentityClaim:
    """A claim that two ways lead to one number: `checks` computes both ways, `figure` shows it. `says` are the names of
    the checks with their tolerances, which the plan fixes; `settings` are what else it fixes."""

    id: str
    says: dict[str, float]
    checks: Callable[[], dict[str, float]]
    figure: Callable[[], Sequence[Plot]] = lambda: ()
    published: Sequence[Published] = ()

    def plan(self, given: ClaimOptions) -> ClaimPlan:
        given.refuse(self.id, "data", "target", "net", "seeds", "margin")
        return ClaimPlan(self.id, {"checks": self.says, "stopping": "once"})

    def test(self, given: ClaimOptions, bench: Bench) -> ClaimEvidence:
        found = self.checks()
        assert found.keys() == self.says.keys()
        checks = [IdentityCheck(name, found[name], tolerance) for name, tolerance in self.says.items()]
        return ClaimEvidence(checks=checks, figure=self.figure())


@dataclass(frozen=True)
class Demonstration:
    """A claim with an experiment of its own: `parts` is what its plan fixes, `carry_out` does it."""

    id: str
    parts: Callable[[ClaimOptions], dict[str, Any]]
    carry_out: Callable[[ClaimOptions, Bench], ClaimEvidence]
    published: Sequence[Published] = ()

    def plan(self, given: ClaimOptions) -> ClaimPlan:
        return ClaimPlan(self.id, self.parts(given))

    def test(self, given: ClaimOptions, bench: Bench) -> ClaimEvidence:
        return self.carry_out(given, bench)
