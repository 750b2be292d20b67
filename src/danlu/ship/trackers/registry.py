"""Which trackers there are, by the names that a recipe takes."""

import contextlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from danlu.base.errors import Faults, nearest
from danlu.ship.trackers.mlflow_run import MlflowRun
from danlu.ship.trackers.tensorboard_files import TensorBoardFiles
from danlu.ship.trackers.tracker import Tracked, Tracker
from danlu.ship.trackers.wandb_run import WandbRun


@dataclass(frozen=True)
class TrackerKind:
    """A tracker by name: what opens a run in it, and the package that it needs."""

    open: Callable[[Tracked], Tracker]
    package: str


TRACKERS = {
    "tensorboard": TrackerKind(TensorBoardFiles, "tensorboard"),
    "mlflow": TrackerKind(MlflowRun, "mlflow"),
    "wandb": TrackerKind(WandbRun, "wandb"),
}


def check_trackers(names: Sequence[str]) -> tuple[str, ...]:
    """The names, each once. UserError for one that is no tracker's, and for one whose package is not installed.

    >>> check_trackers([])
    ()
    """
    faults = Faults()
    for name in dict.fromkeys(names):
        if name not in TRACKERS:
            faults.add("track.unknown", name=name, names=", ".join(TRACKERS), hint=nearest(name, TRACKERS))
        elif not _is_there(TRACKERS[name].package):
            faults.add("figure.needs-extra", part=TRACKERS[name].package, extra="track")
    faults.raise_if_any()
    return tuple(dict.fromkeys(names))


def _is_there(package: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(package) is not None
    return False
