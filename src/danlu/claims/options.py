"""What a user gives to the test of a claim, beside its id."""

from dataclasses import dataclass
from typing import Any

from danlu.base.counts import is_whole
from danlu.base.errors import Faults
from danlu.stats.paired import check_margin


@dataclass(frozen=True)
class ClaimOptions:
    """None: the claim's own. `data` by name or file (with its `target` column), `net` by name, a number of `seeds`, the
    `margin` that counts as none. `miniature` runs all of it on a few epochs and three seeds: to see that it runs, for
    it proves nothing."""

    data: str | None = None
    target: str | None = None
    net: str | None = None
    seeds: int | None = None
    margin: float | None = None
    miniature: bool = False

    def check(self) -> None:
        """UserError with all that is wrong."""
        faults = Faults()
        if self.seeds is not None and not (is_whole(self.seeds) and 3 <= self.seeds <= 1000):
            faults.add("claims.seeds", found=self.seeds)
        if self.margin is not None:
            with faults.gathered():
                check_margin(self.margin)
        faults.raise_if_any()

    def seeds_or(self, usual: int) -> list[int]:
        """The seeds to compare, from 0 on: as many as are asked for, else three in miniature, else the `usual` ones."""
        return list(range(self.seeds or (3 if self.miniature else usual)))

    def margin_or(self, usual: float) -> float:
        """The margin that is asked for, 0 too, else the `usual` one."""
        return usual if self.margin is None else self.margin

    def refuse(self, claim: str, *names: str) -> None:
        """UserError for options that the test of `claim` has no use for."""
        faults = Faults()
        for name in names:
            if getattr(self, name) is not None:
                faults.add("claims.no-use-for", claim=claim, option=name)
        faults.raise_if_any()

    def data_settings(self) -> dict[str, Any]:
        return {} if self.target is None else {"data.target": self.target}
