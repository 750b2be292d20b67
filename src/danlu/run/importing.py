"""Runs of other programs put beside danlu's own: their logs as run folders, without weights."""

from collections.abc import Iterable
from pathlib import Path

from danlu.base.errors import Fault
from danlu.base.places import runs_folder
from danlu.base.recipe import CUSTOM, DataRecipe, NetRecipe, Recipe
from danlu.base.recipe_text import to_toml
from danlu.run.pictures import write_run_report
from danlu.run.run_record import RunRecord
from danlu.store.foreign.course import records_of
from danlu.store.foreign.find import read_logs
from danlu.store.new_run import NewRun
from danlu.store.run_folder import folder_stem


def import_runs(*paths: str | Path, folder: str | Path | None = None) -> tuple[list[RunRecord], list[Fault]]:
    """Write a run folder into `folder` (else `runs/`) for each training that is logged in `paths`: event files of
    TensorBoard, CSV logs (Lightning, Keras, tables with a column of steps or epochs), or folders with these below.

    All is read before anything is written. The runs come back, and remarks on what could not be taken over. UserError
    for what is damaged, cut short or no such log.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp())
    >>> _ = (place / "log.csv").write_text("epoch,loss,val_loss\\n0,1.5,1.2\\n1,0.9,1.0\\n")
    >>> (run,), remarks = import_runs(place / "log.csv", folder=place / "runs")
    >>> run.epochs, run.score["validation"], run.imported.source
    (2, {'loss': 1.0}, 'csv')
    """
    logs, remarks = read_logs([Path(path) for path in paths])
    told = [(log.name, *records_of(log)) for log in logs]
    runs: list[RunRecord] = []
    for name, records, left in told:
        remarks += left
        recipe = Recipe(data=DataRecipe(name=CUSTOM), net=NetRecipe(name=CUSTOM, options={"class": name}))
        parent = runs_folder() if folder is None else Path(folder)
        with NewRun.named(parent, folder_stem(name, "") or "log", to_toml(recipe), {"imported": True}) as new:
            new.begin_with(record.to_json() for record in records)
            new.establish()
        remarks += _drawn(new)
        runs.append(RunRecord(new.place.path))
    return runs, remarks


def _drawn(new: NewRun) -> Iterable[Fault]:
    fault = write_run_report(new.place)
    return [] if fault is None else [fault]
