"""`danlu check` of an exported network."""

import argparse
from pathlib import Path

from danlu.cli.outcome import Outcome, print_text
from danlu.cli.words import check_one, split_words
from danlu.ship.export import check_exported_file


def check_exported(arguments: argparse.Namespace) -> Outcome:
    """Prove an exported network by its golden samples; the exit code is 1 where it fails."""
    words, settings = split_words(arguments)
    check_one("check", [*words, *settings])
    found = check_exported_file(Path(words[0]).expanduser())
    return Outcome(found.as_dict(), lambda console: print_text(console, str(found)), code=0 if found.passed else 1)
