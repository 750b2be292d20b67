"""A run as commands tell of it."""

from danlu.base.places import launched
from danlu.cli.outcome import DIVERGED, Outcome
from danlu.run.run_record import RunRecord
from danlu.view.tables import print_summary


def of_run(run: RunRecord, *, trained: bool = False) -> Outcome:
    """What is told of a run; where it was `trained` just now and diverged, the exit code says so."""
    record = run.as_dict()
    code = code_of(run) if trained else 0
    return Outcome(record, lambda console: print_summary(console, record), code=code)


def code_of(run: RunRecord) -> int:
    """The exit code of a training: that it diverged is no failure to torch's launcher, which would start it anew."""
    return DIVERGED if run.diverged and launched() is None else 0
