"""All that is shown of one run, as plain data: what its folder holds, read by whoever may read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from danlu.base.records import Finding, Score
from danlu.view.info.curves import Course

STATES = ("finished", "diverged", "running", "stopped")


class FullCourse(Course, Protocol):
    """A course with the records that only some pictures need."""

    @property
    def layers(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def predictions(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def net(self) -> Mapping[str, Any]: ...
    @property
    def surface(self) -> Mapping[str, Any]: ...
    @property
    def skipped(self) -> int: ...


@dataclass(frozen=True)
class RunInfo:
    """One run. `recipe` is the text of its recipe.toml; `settings` the same as a flat mapping ("optim.lr": 0.05)."""

    name: str
    state: str
    course: FullCourse
    recipe: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    where: str = ""  # the folder, as a person would type it

    @property
    def findings(self) -> Sequence[Finding]:
        return self.course.findings

    @property
    def score(self) -> Mapping[str, Score]:
        """The scores by part: the final ones, or those of the newest epoch."""
        if self.course.score or not self.course.epochs:
            return self.course.score
        newest = self.course.epochs[-1]
        return {part: newest[part] for part in ("validation", "train") if newest.get(part)}

    @property
    def smoothing(self) -> float:
        """The share of the newest loss in the smoothed curve."""
        value = self.settings.get("train.smoothing", 0.1)
        return float(value) if isinstance(value, int | float) and 0 < value <= 1 else 0.1


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A recipe's sections as one mapping.

    >>> flat({"optim": {"lr": 0.1}, "train": {"epochs": 3}})
    {'optim.lr': 0.1, 'train.epochs': 3}
    """
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
