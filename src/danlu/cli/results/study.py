"""A study as commands tell of it."""

from pathlib import Path

from danlu.cli import results
from danlu.cli.outcome import DIVERGED, Outcome
from danlu.store.study_folder import StudyFolder
from danlu.study.search.result import Search
from danlu.study.study import Study
from danlu.view.study import print_study


def of_study(study: Study, *, trained: bool = False) -> Outcome:
    """What is told of a study, or of the cure that it tried; the exit code as with a run, where all diverged."""
    if study.cure is not None:
        return results.of_proof(study)
    record = study.as_dict()
    gone = trained and bool(study.members) and all(member.diverged for member in study.members)
    return Outcome(record, lambda console: print_study(console, record), code=DIVERGED if gone else 0)


def of_study_folder(folder: str | Path) -> Outcome:
    """What is told of what lies in a folder: a study, a search, or a cure."""
    if StudyFolder(Path(folder)).is_search:
        return results.of_search(Search(folder))
    return of_study(Study(folder))
