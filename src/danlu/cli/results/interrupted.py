"""What is told of a training that was told to stop."""

from pathlib import Path
from typing import Any

from danlu.base.places import shown
from danlu.base.words import say
from danlu.cli import results
from danlu.cli.outcome import Outcome, print_text
from danlu.run.interrupt import Interrupted
from danlu.run.run_record import RunRecord
from danlu.store.study_folder import StudyFolder


def of_interrupted(stopped: Interrupted) -> Outcome:
    """What the run or the study has come to, and how to go on with it."""
    record: Any
    study = StudyFolder(Path(stopped.folder))
    record = results.of_study_folder(study.path).record if study.is_there else RunRecord(stopped.folder).as_dict()
    sentence = say("cli.interrupted" if stopped.saved else "cli.interrupted-at-once", run=shown(stopped.folder))
    return Outcome(record, lambda console: print_text(console, sentence))
