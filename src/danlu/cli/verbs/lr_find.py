"""`danlu lr-find`."""

import argparse

from danlu.cli.asked import asked_for
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.search_arguments import range_test_arguments
from danlu.lab.check.lr_find import lr_find


def do_lr_find(arguments: argparse.Namespace) -> Outcome:
    """Try many learning rates for a few steps each, and say which to take."""
    numbers = range_test_arguments(arguments)
    recipe = asked_for(arguments).drafted()
    test = lr_find(recipe=recipe, **numbers)
    return Outcome(test.as_dict(), lambda console: print_text(console, str(test)))
