"""`danlu play`."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from danlu.cli.outcome import Outcome
from danlu.cli.served import listening_words, outcome_of_page
from danlu.cli.words import check_one
from danlu.lab.play.playground import Playground
from danlu.serve.listening import HOST
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


def play(
    source: str | Path | None = None,
    target: str | None = None,
    columns: Sequence[str] | None = None,
    *,
    host: str = HOST,
    port: int | None = None,
    browser: bool = True,
) -> None:
    """Try settings on points in a plane in the browser, until Ctrl-C: what `danlu play` does.

    `source` is "moons" (where none is named), "circles", "spiral", "xor" or "gaussians", a table of the catalogue or a
    table's path; `target` is its column to predict, `columns` are the two of numbers that it is predicted from. Listens
    on 127.0.0.1 alone unless `host` says otherwise; on `port`, else on the first free one from 8765 on. Raises
    UserError for data that are no such.
    """
    playground = Playground(source, target, columns)
    page = open_playground(playground, host=host, port=port)
    _until_closed(lambda: page.show(browser=browser), playground.close)
