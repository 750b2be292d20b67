"""What every experiment tracker is told, and in which words: the one interface of TensorBoard, MLflow and wandb."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROJECT = "danlu"
"""Under which runs stand where nothing else is said."""

ENDED = ("finished", "diverged", "interrupted", "failed")
"""How a training can have ended, as `Tracker.end` hears of it."""


@dataclass(frozen=True)
class Tracked:
    """What is told of a run, a study, or a training of a study, before its first number.

    name: under which it is shown.
    home: the folder in which runs lie, and beside them what a tracker keeps on this machine.
    logs: where event files of it are put.
    project: asked for; None: what the tracker's own environment says, else `PROJECT`.
    settings: hyperparameters by name, "optim.lr".
    notes: further texts by name, such as the recipe.
    handle: by which the tracker knows it from an earlier session; "" where it is new.
    resumed_at: the step from which this session goes on.
    group: the study that it belongs to, its own name for the study itself; "" for a run.
    parent: the handle of the study that a training belongs to.
    """

    name: str
    home: Path
    logs: Path
    project: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    notes: Mapping[str, str] = field(default_factory=dict[str, str])
    handle: str = ""
    resumed_at: int = 0
    group: str = ""
    parent: str = ""


class Tracker(ABC):
    """One run as a tracker has it. Whatever its library raises goes through: `Courier` catches it.

    `handle` is by what a later session finds it again; `steps` and `epochs` are the last steps of which it has a loss
    and scores: what came before them is not told again.
    """

    handle: str
    steps: int = 0
    epochs: int = 0

    @abstractmethod
    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by name, "validation/accuracy", at a step; steps never go back."""

    @abstractmethod
    def text(self, name: str, text: str, step: int) -> None:
        """A text under a name such as "findings/dead-relu"."""

    @abstractmethod
    def picture(self, name: str, png: bytes, step: int) -> None:
        """A picture under a name such as "curves"."""

    @abstractmethod
    def file(self, path: Path, name: str) -> None:
        """A file of the run's folder, `name` being its path in there."""

    @abstractmethod
    def flush(self) -> None:
        """Hand over what has been collected."""

    @abstractmethod
    def end(self, state: str, final: Mapping[str, float]) -> None:
        """The session is over: `state` is one of `ENDED`, `final` are the last scores, "final/test/accuracy"."""


def plain(value: Any) -> bool | int | float | str:
    """A setting as every tracker takes it.

    >>> plain(0.1), plain(["relu", "tanh"])
    (0.1, "['relu', 'tanh']")
    """
    return value if isinstance(value, bool | int | float | str) else str(value)
