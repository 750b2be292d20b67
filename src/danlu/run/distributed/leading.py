"""The first process of a training, or the only one: it writes the run."""

import contextlib
from collections.abc import Generator
from pathlib import Path

from danlu.base.places import Launched
from danlu.base.recipe import Recipe
from danlu.base.seeds import cores, use_threads
from danlu.run.training import WiredTraining, carry_out
from danlu.train.distributed.group import TrainingGroup, tell
from danlu.view.reporter import Reporter


def lead(group: TrainingGroup, training: WiredTraining | Path, reporter: Reporter) -> Path:
    """Carry out a training for all processes that share it; its folder. One that has ended is a Path."""
    path = training if isinstance(training, Path) else training.place.path
    tell(group, {"folder": str(path), "finished": isinstance(training, Path)})
    if not isinstance(training, Path):
        carry_out(training, reporter)
    return path


@contextlib.contextmanager
def steady_threads(recipe: Recipe, own: Launched | None) -> Generator[None]:
    """One thread a process where any number of processes is to give the same bits: sums in a product depend on it.

    Else processes that danlu started share the machine's cores.
    """
    count = 1 if recipe.train.workers is not None else 0
    if not count and own is not None and own.rendezvous is not None:
        count = max(1, cores() // own.on_this_machine)
    if not count:
        yield
        return
    before = use_threads(count)
    try:
        yield
    finally:
        use_threads(before)
