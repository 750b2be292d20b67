"""A lot of trainings that cannot be stacked, as a worker is sent it, trains them one by one, and sends them back."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from danlu.base.events import Event, Stop
from danlu.base.seeds import one_thread
from danlu.base.words import use_language
from danlu.run.settings.draft import CUSTOM
from danlu.study.alone import BUSY, AloneOutcome, Task, train_alone
from danlu.study.cluster.protocol import Gone
from danlu.study.plan import Planned


@dataclass(frozen=True)
class AloneLot:
    """Trainings that one task carries out: of each the number of its combination, its seed and its fold; `language` is
    that of what is said of failures."""

    members: Sequence[tuple[int, int, int]]
    language: str


def train_lot(planned: Sequence[Planned], lot: AloneLot, gone: Gone) -> list[AloneOutcome]:
    """Train each as `fit` does, in a folder that is deleted afterwards; what has not begun when nobody waits for it any
    more is told as stopped."""

    def unwanted(event: Event) -> Stop | None:
        return Stop("interrupted") if gone() else None

    outcomes: list[AloneOutcome] = []
    with BUSY, one_thread():
        use_language(lot.language)
        for number, seed, fold in lot.members:
            if gone():
                outcomes.append(AloneOutcome({}, stopped=True))
                continue
            one, data = planned[number], planned[number].folds[fold]
            net = one.net(seed) if one.setup.recipe.net.name == CUSTOM else None
            with tempfile.TemporaryDirectory(prefix="danlu-", ignore_cleanup_errors=True) as folder:
                run, stop = Path(folder) / "run", Path(folder) / "stop"
                task = Task(one.recipe(seed, data), data, net, run, lot.language, stop)
                outcomes.append(train_alone(task, [unwanted]))
    return outcomes
