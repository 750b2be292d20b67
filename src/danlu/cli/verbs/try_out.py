"""`danlu try`."""

import argparse

from danlu.base.places import shown
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.cli.answering_run import opened
from danlu.cli.outcome import Outcome
from danlu.cli.served import listening_words, outcome_of_page
from danlu.cli.words import check_one
from danlu.serve.try_out import open_trial


def do_try(arguments: argparse.Namespace) -> Outcome:
    """A page that asks a run, which answers until Ctrl-C."""
    check_one("try", arguments.words)
    where = listening_words(arguments)
    run = opened(arguments, "try")
    if not run.finished:
        tell(say("cli.predict-unfinished", run=shown(run.folder), steps=run.steps))
    return outcome_of_page(open_trial(run, **where), arguments, "run")
