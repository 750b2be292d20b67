"""What is told of a training that was told to stop."""

from pathlib import Path
from typing import Any

from danlu.base.places import shown
from danlu.base.words import say
from danlu.cli import results
from danlu.cli.outcome import Outcome, print_text
from danlu.lab.interrupt import Interrupted
from danlu.lab.run import Run
from danlu.lab.search.result import Search
from danlu.lab.study.study import Study
from danlu.store.study_folder import StudyFolder


def of_interrupted(stopped: Interrupted) -> Outcome:
    """What the run or the study has come to, and how to go on with it."""
    record: Any
    study = StudyFolder(Path(stopped.folder))
    if study.design.is_file():
        found = results.of_search(Search(study.path)) if study.is_search else results.of_study(Study(study.path))
        record = found.record
    else:
        record = Run(stopped.folder).as_dict()
    sentence = say("cli.interrupted" if stopped.saved else "cli.interrupted-at-once", run=shown(stopped.folder))
    return Outcome(record, lambda console: print_text(console, sentence))
