"""All that is shown of one run, as plain data: what its folder holds."""

import functools
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from danlu.base.places import shown
from danlu.base.records import Finding, Score
from danlu.base.retold import retold
from danlu.store.run_folder import RunFolder, text_of
from danlu.store.run_history import RunHistory
from danlu.view.info.curves import CurveSource
from danlu.view.info.ending import diverged_at
from danlu.view.info.followed import Followed, followed
from danlu.view.info.kernel import sigma_of

STATES = ("finished", "diverged", "running", "stopped")


@dataclass(frozen=True)
class RunInfo:
    """One run. `recipe` is the text of its recipe.toml; `settings` the same as a flat mapping ("optim.lr": 0.05)."""

    name: str
    state: str
    history: RunHistory
    recipe: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    environment: Mapping[str, Any] = field(default_factory=dict[str, Any])
    where: str = ""  # the folder, as a person would type it

    @property
    def findings(self) -> Sequence[Finding]:
        """In the language in force."""
        return [retold(one) for one in self.history.findings]

    @property
    def score(self) -> Mapping[str, Score]:
        """The scores by part: the final ones, or those of the newest epoch."""
        if self.history.score or not self.history.epochs:
            return self.history.score
        newest = self.history.epochs[-1]
        return {part: score for part, score in (("validation", newest.validation), ("train", newest.train)) if score}

    @functools.cached_property
    def followed(self) -> Followed | None:
        """Its followed samples, computed once for all pictures and both languages."""
        return followed(self.history)

    @functools.cached_property
    def drawn(self) -> CurveSource:
        """Its course with what the recipe says of its curves."""
        share, clip = (_positive(self.settings.get(f"train.{key}")) for key in ("smoothing", "clip_norm"))
        weights = self.settings.get("train.weights")
        best = weights == "best" if weights else self.settings.get("train.patience") is not None
        return CurveSource(self.history, sigma_of(share if share and share <= 1 else 0.1), clip, best)


def _positive(value: Any) -> float | None:
    """A number above 0 that a recipe holds; None for all else that may stand there."""
    return float(value) if isinstance(value, int | float) and 0 < value < math.inf else None


def run_info(
    name: str, history: RunHistory, *, recipe: str, environment: str, where: str, state: str | None = None
) -> RunInfo:
    """A run as its journal and the texts of its other files tell it; what cannot be read in these is left out.

    `state` is one of STATES, where more is known of it than the journal tells.
    """
    return RunInfo(name, state or _state(history), history, recipe, _settings(recipe), json_object(environment), where)


def run_info_of(place: RunFolder, history: RunHistory | None = None) -> RunInfo:
    """The run in a folder; UserError where its journal cannot be read. `history` is what that tells, where known."""
    return run_info(
        place.path.name,
        RunHistory.read(place.journal) if history is None else history,
        recipe=text_of(place.recipe),
        environment=text_of(place.environment),
        where=str(shown(place.path)),
    )


def _state(history: RunHistory) -> str:
    if not history.finished:
        return "stopped"
    return "finished" if diverged_at(history.steps, history.loss, history.score) is None else "diverged"


def _settings(recipe: str) -> dict[str, Any]:
    try:
        return flat(tomllib.loads(recipe))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def json_object(text: str) -> Mapping[str, Any]:
    """The JSON object that a text is; an empty one where it is none.

    >>> json_object('{"seeds": [0]}'), json_object("[0")
    ({'seeds': [0]}, {})
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A recipe's sections as one mapping.

    >>> flat({"optim": {"lr": 0.1}, "train": {"epochs": 3}})
    {'optim.lr': 0.1, 'train.epochs': 3}
    """
    found: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            found |= flat(cast(Mapping[str, Any], value), f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found
