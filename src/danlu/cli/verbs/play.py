"""`danlu play`."""

import argparse
from collections.abc import Callable
from dataclasses import replace

from danlu.cli.outcome import Outcome
from danlu.cli.served import listening_words, outcome_of_page
from danlu.cli.words import check_one
from danlu.lab.play.playground import Playground
from danlu.serve.play import open_playground


def do_play(arguments: argparse.Namespace) -> Outcome:
    """A page on which settings are tried, which answers until Ctrl-C."""
    check_one("play", arguments.words)
    where = listening_words(arguments)
    source = arguments.words[0] if arguments.words else None
    columns = None if arguments.columns is None else [arguments.columns]
    playground = Playground(source, arguments.target, columns)
    outcome = outcome_of_page(open_playground(playground, **where), arguments, "data")
    return replace(outcome, then=lambda: _until_closed(outcome.then, playground.close))


def _until_closed(serve: Callable[[], None], close: Callable[[], None]) -> None:
    try:
        serve()
    finally:
        close()
