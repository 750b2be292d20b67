"""What the commands that serve a page have in common."""

import argparse
from typing import Any

from danlu.base.errors import fail
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.study_arguments import whole_in
from danlu.serve.listening import HOST, LocalPage


def listening_words(arguments: argparse.Namespace) -> dict[str, Any]:
    """`host` and `port` as they were typed; UserError for a port that is no number."""
    port = None if arguments.port is None else whole_in(arguments.port)
    if arguments.port is not None and port is None:
        fail("cli.not-a-number", option="--port", found=arguments.port[:100])
    return {"host": HOST if arguments.host is None else arguments.host, "port": port}


def outcome_of_page(page: LocalPage, arguments: argparse.Namespace, key: str) -> Outcome:
    """Tell where a page is, then serve it until Ctrl-C; `key` is what `--json` calls its folder."""
    record = {key: str(page.folder), "address": page.address}
    browser = not (arguments.no_browser or arguments.json)
    return Outcome(record, lambda console: print_text(console, page.told), lambda: page.serve(browser=browser))
