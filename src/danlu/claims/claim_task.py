"""A place of a claim's condition that is a task of its own: another net on other data, by another measure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from danlu.claims.training import Measure


@dataclass(frozen=True)
class ClaimTask:
    """What is trained on what at such a place: `net` by name, `data` as a function that makes them, of the place; all
    `settings` but those of the level; the `measure`, and where the search for each level's learning rate begins."""

    net: str
    data: Any
    settings: Mapping[str, Any]
    measure: Measure
    rates: Sequence[float]

    def as_dict(self) -> dict[str, Any]:
        """As the plan has it."""
        return {
            "net": self.net,
            "data": self.data.__name__,
            "measure": self.measure.name,
            "rates": list(self.rates),
            **self.settings,
        }
