"""`danlu show`, of a run, a study, a search or a claim."""

import argparse
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from danlu.base.places import shown
from danlu.claims.result import read_result
from danlu.cli import results
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.words import last_run, one_run
from danlu.run.run_record import RunRecord
from danlu.store.notes import Notes
from danlu.store.study_folder import StudyFolder
from danlu.view.findings import print_findings
from danlu.view.tables import print_summary
from danlu.view.texts import print_texts


def do_show(arguments: argparse.Namespace) -> Outcome:
    """The findings and the score of a run, or of the one that was begun or gone on with last; the verdict on a claim in
    its folder."""
    claim = read_result(Path(arguments.words[0])) if arguments.words else None
    if claim is not None:
        return Outcome(claim.as_dict(), lambda console: print_text(console, str(claim)))
    if arguments.words and StudyFolder(Path(arguments.words[0])).is_there:
        return results.of_study_folder(one_run(arguments, "show"))
    if arguments.words:
        return _shown_run(RunRecord(one_run(arguments, "show")))
    return _shown_run(RunRecord(last_run()))


def _shown_run(run: RunRecord) -> Outcome:
    """A run as it is looked at later: what was told while it trained is told again, with the scores of each epoch and
    the notes beside it."""
    record = run.as_dict() | {"by_epoch": run.by_epoch, "notes": asdict(Notes.read(run.folder))}

    def show(console: Console) -> None:
        print_findings(console, run.findings, shown(run.folder))
        print_texts(console, run.texts)
        print_summary(console, record)

    return Outcome(record, show)
