"""A run as commands tell of it."""

from danlu.cli.outcome import DIVERGED, Outcome
from danlu.lab.run_record import RunRecord
from danlu.view.tables import print_summary


def of_run(run: RunRecord, *, trained: bool = False) -> Outcome:
    """What is told of a run; where it was `trained` just now and diverged, the exit code says so."""
    record = run.as_dict()
    code = DIVERGED if trained and run.diverged else 0
    return Outcome(record, lambda console: print_summary(console, record), code=code)
