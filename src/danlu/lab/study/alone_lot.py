"""A lot of trainings that cannot be stacked, as a worker is sent it, trains them one by one, and sends them back."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from danlu.base.events import Event, Stop
from danlu.base.recipe import Recipe
from danlu.base.seeds import one_thread
from danlu.base.words import use_language
from danlu.data import Dataset
from danlu.lab.cluster.protocol import Gone
from danlu.lab.study.alone import BUSY, AloneOutcome, Task, train_alone


@dataclass(frozen=True)
class AloneMember:
    """One of them: its recipe, the number of its data among those that the workers hold, and its net where the recipe
    cannot bring it back."""

    recipe: Recipe
    data: int
    net: nn.Module | None


@dataclass(frozen=True)
class AloneLot:
    """Trainings that one task carries out; `language` is that of what is said of failures."""

    members: Sequence[AloneMember]
    language: str


def train_lot(held: Sequence[Dataset], lot: AloneLot, gone: Gone) -> list[AloneOutcome]:
    """Train each as `fit` does, in a folder that is deleted afterwards; what has not begun when nobody waits for it any
    more is told as stopped."""

    def unwanted(event: Event) -> Stop | None:
        return Stop("interrupted") if gone() else None

    outcomes: list[AloneOutcome] = []
    with BUSY, one_thread():
        use_language(lot.language)
        for member in lot.members:
            if gone():
                outcomes.append(AloneOutcome({}, stopped=True))
                continue
            with tempfile.TemporaryDirectory(prefix="danlu-", ignore_cleanup_errors=True) as folder:
                place = Path(folder)
                task = Task(member.recipe, held[member.data], member.net, place / "run", lot.language, place / "stop")
                outcomes.append(train_alone(task, [unwanted]))
    return outcomes
