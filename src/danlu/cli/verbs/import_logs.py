"""`danlu import`: the runs of other programs, from their logs."""

import argparse

from rich.console import Console

from danlu.base.errors import fail
from danlu.base.places import shown
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.words import split_words
from danlu.run.importing import import_runs
from danlu.view.tables import print_summary


def do_import(arguments: argparse.Namespace) -> Outcome:
    """Write a run folder for each training that the files and folders named hold."""
    words, settings = split_words(arguments)
    words += settings  # a path may hold an equals sign
    if not words:
        fail("imported.what")
    runs, remarks = import_runs(*words, folder=arguments.folder)
    for remark in remarks:
        tell(f"! {remark}")
    records = [run.as_dict() for run in runs]

    def show(console: Console) -> None:
        for record in records:
            print_text(console, str(shown(record["run"])))
            print_summary(console, record)
        print_text(console, say("imported.next", count=len(records), folder=shown(runs[0].folder.parent)))

    return Outcome({"runs": records}, show)
