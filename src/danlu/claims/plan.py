"""The plan of a claim: all that is fixed before anything is trained, and the hash that shows it was not changed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from danlu.base.strict_json import to_json

PARTS = (
    "data", "net", "factor", "levels", "condition", "nuisance", "fixed", "measure", "expected", "margin", "seeds",
    "stopping", "controls", "checks",
)  # fmt: skip
"""What a plan can say, in the order in which it is told; what a claim has no use for is left out."""


@dataclass(frozen=True)
class ClaimPlan:
    """How `claim` is tested: `parts` under the names of `PARTS`, as plain values.

    >>> plan = ClaimPlan("a", {"margin": 0.01})
    >>> plan.hash == ClaimPlan("a", {"margin": 0.01}).hash != ClaimPlan("a", {"margin": 0.02}).hash
    True
    """

    claim: str
    parts: Mapping[str, Any]

    def __post_init__(self) -> None:
        assert not set(self.parts) - set(PARTS)

    @property
    def hash(self) -> str:
        """Twelve digits of the SHA-256 of what it says: another plan has another hash."""
        return hashlib.sha256(to_json({"claim": self.claim, **self._ordered()}).encode()).hexdigest()[:12]

    def as_dict(self) -> dict[str, Any]:
        return {"claim": self.claim, "hash": self.hash, **self._ordered()}

    def _ordered(self) -> dict[str, Any]:
        return {name: self.parts[name] for name in PARTS if name in self.parts}
