"""Trainings side by side in processes, by joblib's interface: here, or on many machines with Dask or Ray behind it."""

import contextlib
import os
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from danlu.base.errors import Fault
from danlu.base.seeds import cores
from danlu.stack import choices
from danlu.study.alone import AloneOutcome, Task, end_after, train_elsewhere

_GLANCE = 0.2  # seconds between two looks at whether to stop
_CHOICE = "processes"
_START = 8.0  # seconds that a process takes, about, until torch is there


@dataclass(frozen=True)
class Jobs:
    """How many trainings run side by side, each in a process of its own, and why; 1: one after another, in this one."""

    count: int
    why: Fault


def chosen_jobs(asked: int | None, members: int, *, device: str, alone: Callable[[], tuple[float, float]]) -> Jobs:
    """How many processes for `members` trainings: those `asked` for, else as many as pay.

    `alone` tells the seconds of one training with all cores, and with its share of them; it is asked only where that
    decides. A backend set by `joblib.parallel_config` is taken as it is.
    """
    most = min(members, cores())
    foreign = _foreign_backend()
    if asked is not None:
        return Jobs(max(1, min(asked, members)), Fault("study.jobs-asked", {"jobs": asked}))
    if foreign is not None:
        name, workers, shares_memory = foreign
        if shares_memory:  # random streams are a process's, not a thread's
            return Jobs(1, Fault("study.jobs-threads", {"backend": name}))
        return Jobs(min(workers, members), Fault("study.jobs-backend", {"backend": name, "jobs": workers}))
    if device != "cpu":
        return Jobs(1, Fault("study.jobs-one-device", {"device": device}))
    if (before := choices().known(_CHOICE)) is not None:
        return Jobs(before, Fault("study.jobs-as-before", {"jobs": before}))
    if most < 2:
        return Jobs(1, Fault("study.jobs-nothing-beside", {"members": members, "cores": cores()}))
    with_all, with_one = alone()
    here, beside = members * with_all, _START + -(-members // most) * with_one
    facts = {"here": f"{here:.0f}", "beside": f"{beside:.0f}", "jobs": most}
    count = choices().once(_CHOICE, lambda: most if beside < here else 1)
    return Jobs(count, Fault("study.jobs-pay" if count > 1 else "study.jobs-too-short", facts))


def in_processes(
    tasks: Sequence[Task],
    jobs: int,
    tell: Callable[[int, AloneOutcome], None],
    asked_to_stop: Callable[[], bool],
) -> bool:
    """Carry out the tasks, `jobs` at a time; False when told to break off. `tell` hears of each, by its number.

    A process that dies (for want of memory, say) ends the others too: those that are not told of have failed.
    """
    import joblib

    foreign = _foreign_backend()
    parent = os.getpid() if foreign is None or foreign[0] == "loky" else None
    stop = tasks[0].stop
    stop.unlink(missing_ok=True)
    told: set[int] = set()
    whole = True
    calls = (joblib.delayed(_numbered)(number, replace(task, parent=parent)) for number, task in enumerate(tasks))
    try:
        with _passed_on(asked_to_stop, stop):
            # A process that has no task yet must end with this one too.
            own: dict[str, Any] = {"initializer": end_after, "initargs": (parent,)} if parent else {}
            results: Any = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", **own)(calls)
            for number, outcome in results:
                if outcome.stopped:
                    whole = False
                    continue
                told.add(number)
                tell(number, outcome)
    except BrokenProcessPool:
        if asked_to_stop():  # Ctrl-C goes to every process of the terminal
            return False
        for number in range(len(tasks)):
            if number not in told:
                tell(number, AloneOutcome({}, failure=str(Fault("study.process-died"))))
    finally:
        stop.unlink(missing_ok=True)
    return whole


def _numbered(number: int, task: Task) -> tuple[int, AloneOutcome]:
    return number, train_elsewhere(task)


@contextlib.contextmanager
def _passed_on(asked_to_stop: Callable[[], bool], stop: Path) -> Generator[None]:
    """Lay the file down that tells the processes to stop, as soon as this one was."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_GLANCE):
            if asked_to_stop():
                stop.parent.mkdir(parents=True, exist_ok=True)
                stop.touch()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def cluster_of_joblib() -> Any:
    """The cluster that `joblib.parallel_config` names: a client of Dask's, or "ray"; None where it names none."""
    from joblib.parallel import get_active_backend

    active: tuple[Any, Any] = get_active_backend()  # pyright: ignore[reportAssignmentType]  (joblib is not typed)
    name = type(active[0]).__name__
    if name == "RayBackend":
        return "ray"
    return getattr(active[0], "client", None) if name == "DaskDistributedBackend" else None


def _foreign_backend() -> tuple[str, int, bool] | None:
    """A backend of the user's choice: its name, how many it runs at a time, and whether they share memory."""
    import joblib
    from joblib.parallel import get_active_backend

    active: tuple[Any, Any] = get_active_backend()  # pyright: ignore[reportAssignmentType]  (joblib is not typed)
    backend, workers = active
    name = type(backend).__name__.removesuffix("Backend").removesuffix("Distributed") or "Distributed"
    if name == "Loky" and workers is None:
        return None
    count: Any = joblib.effective_n_jobs(workers or -1)
    return name.lower(), int(count), bool(getattr(backend, "supports_sharedmem", False))
