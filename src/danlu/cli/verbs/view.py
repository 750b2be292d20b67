"""`danlu view`."""

import argparse

from danlu.base.errors import fail
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.study_arguments import whole_in
from danlu.cli.words import check_one
from danlu.serve.run import HOST, open_dashboard


def do_view(arguments: argparse.Namespace) -> Outcome:
    """The dashboard, which answers until Ctrl-C."""
    check_one("view", arguments.words)
    port = None if arguments.port is None else whole_in(arguments.port)
    if arguments.port is not None and port is None:
        fail("cli.not-a-number", option="--port", found=arguments.port[:100])
    dashboard = open_dashboard(
        arguments.words[0] if arguments.words else None,
        host=HOST if arguments.host is None else arguments.host,
        port=port,
    )
    record = {"folder": str(dashboard.folder), "address": dashboard.address}
    browser = not (arguments.no_browser or arguments.json)
    return Outcome(
        record, lambda console: print_text(console, dashboard.told), lambda: dashboard.serve(browser=browser)
    )
