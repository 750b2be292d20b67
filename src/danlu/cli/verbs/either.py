"""`danlu predict` and `danlu check` take a run or a recipe, or an exported network: only what is named is imported."""

import argparse

from danlu.cli import verbs
from danlu.cli.exported_words import is_exported
from danlu.cli.outcome import Outcome


def do_predict(arguments: argparse.Namespace) -> Outcome:
    """Answers for files, from a run's folder or an exported network."""
    return verbs.predict_exported(arguments) if _exported(arguments) else verbs.predict_run(arguments)


def do_check(arguments: argparse.Namespace) -> Outcome:
    """Look at a recipe before it is trained, or prove an exported network by its golden samples."""
    return verbs.check_exported(arguments) if _exported(arguments) else verbs.check_recipe(arguments)


def _exported(arguments: argparse.Namespace) -> bool:
    return bool(arguments.words) and is_exported(arguments.words[0])
