"""A study as commands tell of it."""

from danlu.cli import results
from danlu.cli.outcome import DIVERGED, Outcome
from danlu.lab.study.study import Study
from danlu.view.study import print_study


def of_study(study: Study, *, trained: bool = False) -> Outcome:
    """What is told of a study, or of the cure that it tried; the exit code as with a run, where all diverged."""
    if study.cure is not None:
        return results.of_proof(study)
    record = study.as_dict()
    gone = trained and bool(study.members) and all(member.diverged for member in study.members)
    return Outcome(record, lambda console: print_study(console, record), code=DIVERGED if gone else 0)
