"""`danlu fit`."""

import argparse

from rich.console import Console

from danlu.base.places import shown
from danlu.base.words import say
from danlu.cli.asked import asked_for
from danlu.cli.outcome import DIVERGED, Outcome, print_text
from danlu.lab.fit import fit
from danlu.view.tables import print_summary


def do_fit(arguments: argparse.Namespace) -> Outcome:
    """Train by the recipe that file, options and settings make."""
    recipe = asked_for(arguments).drafted()
    run = fit(recipe=recipe, folder=arguments.folder, name=arguments.name, progress=not arguments.json)
    record = run.as_dict()

    def show(console: Console) -> None:
        print_summary(console, record)
        if not run.diverged:
            other = f"{2 * (run.recipe.optim.lr or 0.01):.1g}"
            print_text(console, say("view.next", run=shown(record["run"]), lr=other))

    return Outcome(record, show, code=DIVERGED if run.diverged else 0)
