"""`danlu view`."""

import argparse

from danlu.cli.outcome import Outcome
from danlu.cli.served import listening_words, outcome_of_page
from danlu.cli.words import check_one
from danlu.serve.run import open_dashboard


def do_view(arguments: argparse.Namespace) -> Outcome:
    """The dashboard, which answers until Ctrl-C."""
    check_one("view", arguments.words)
    folder = arguments.words[0] if arguments.words else None
    dashboard = open_dashboard(folder, read_only=arguments.read_only, **listening_words(arguments))
    return outcome_of_page(dashboard, arguments, "folder")
