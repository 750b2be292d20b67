"""`danlu package`, for runs of an older danlu."""

import argparse
from pathlib import Path

from danlu.base.errors import fail
from danlu.base.places import shown
from danlu.base.words import say
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.words import one_run
from danlu.run.packing import package
from danlu.store.study_folder import StudyFolder
from danlu.study.study import Study


def do_package(arguments: argparse.Namespace) -> Outcome:
    """Write the package of a run, or of a study's best, where it has none."""
    folder = Path(one_run(arguments, "package"))
    if StudyFolder(folder).is_there:
        best = Study(folder).best
        if best is None:
            fail("cli.no-best-yet", study=folder)
        folder = best.run
    run = package(folder, data=arguments.data)
    told = say("cli.packaged", run=shown(run.folder))
    return Outcome({"run": str(run.folder), "package": "package.json"}, lambda console: print_text(console, told))
