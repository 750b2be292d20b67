"""`danlu report`."""

import argparse

from danlu.base.errors import fail
from danlu.base.places import shown
from danlu.base.words import say
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.words import split_words
from danlu.lab.report import report


def do_report(arguments: argparse.Namespace) -> Outcome:
    """Runs and studies in one file."""
    words, settings = split_words(arguments)
    if settings:
        fail("report.no-settings", found=" ".join(settings))
    path = report(*words, notes=arguments.notes, out=arguments.out or "report.html")
    record = {"file": str(path), "sources": words}
    return Outcome(record, lambda console: print_text(console, say("draw.written", path=shown(path))))
