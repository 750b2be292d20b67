"""What was counted, and the tables that tell it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

INPUT = ("accepted", "refused", "traceback", "hang", "unsaid change")


@dataclass
class Tally:
    """One line of a table: what was attacked, how often, how each try ended, and what is to be said of bad ends."""

    attack: str
    ends: Counter[str] = field(default_factory=Counter[str])
    complaints: list[str] = field(default_factory=list[str])
    reasons: Counter[str] = field(default_factory=Counter[str])  # of refusals, by their sentence
    slowest: tuple[float, str] = (0.0, "")  # seconds, and of which input
    wanted: str = ""  # what a good end is, for attacks other than inputs

    @property
    def tried(self) -> int:
        return sum(self.ends.values())

    @property
    def bad(self) -> int:
        good = {"accepted", "refused", "good"}
        return sum(count for end, count in self.ends.items() if end not in good)

    def add(self, end: str, complaint: str = "") -> None:
        self.ends[end] += 1
        if complaint:
            self.complaints.append(f"{self.attack}: {end}: {complaint}")


def joined(tallies: Iterable[Tally]) -> list[Tally]:
    """Tallies of the same attack become one; in the order in which they first came.

    >>> [tally.tried for tally in joined([Tally("a", Counter(good=2)), Tally("a", Counter(bad=1))])]
    [3]
    """
    found: dict[str, Tally] = {}
    for tally in tallies:
        kept = found.setdefault(tally.attack, Tally(tally.attack, wanted=tally.wanted))
        kept.ends.update(tally.ends)
        kept.complaints += tally.complaints
        kept.slowest = max(kept.slowest, tally.slowest)
        kept.reasons.update(tally.reasons)
    return list(found.values())


def tables(tallies: Sequence[Tally]) -> str:
    """Inputs, with how many were accepted and refused; then all else, with how many ended as they should."""
    inputs = [tally for tally in tallies if not tally.wanted]
    others = [tally for tally in tallies if tally.wanted]
    lines: list[str] = []
    if inputs:
        total = Tally("**all**")
        for tally in inputs:
            total.ends.update(tally.ends)
        lines += [
            "| inputs | tried | accepted | refused | tracebacks | hangs | unsaid changes |",
            "|---|" + "---:|" * 6,
        ]
        for tally in [*inputs, total]:
            cells = [tally.attack, tally.tried, *(tally.ends[end] for end in INPUT)]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
        lines.append("")
    if others:
        lines += ["| attack | tried | as wanted | wanted |", "|---|---:|---:|---|"]
        for tally in others:
            lines.append(f"| {tally.attack} | {tally.tried:,} | {tally.tried - tally.bad:,} | {tally.wanted} |")
    return "\n".join(lines)
