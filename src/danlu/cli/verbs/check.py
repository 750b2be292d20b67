"""`danlu check` of a recipe."""

import argparse

from danlu.cli.asked import asked_for
from danlu.cli.outcome import Outcome, print_text
from danlu.lab.check.check import check


def check_recipe(arguments: argparse.Namespace) -> Outcome:
    """Look at a recipe before it is trained; the exit code is 1 where it cannot learn."""
    recipe = asked_for(arguments).drafted()
    found = check(recipe=recipe)
    return Outcome(found.as_dict(), lambda console: print_text(console, str(found)), code=0 if found.passed else 1)
