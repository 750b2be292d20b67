"""`danlu data`."""

import argparse

from danlu.base.errors import fail
from danlu.base.recipe_text import RecipeDraft
from danlu.base.setting_keys import known_keys
from danlu.cli import verbs
from danlu.cli.outcome import Outcome
from danlu.cli.words import check_one, split_words
from danlu.data import catalogue_facts
from danlu.view.tables import print_data_list, print_facts


def do_data(arguments: argparse.Namespace) -> Outcome:
    """The catalogue of data sets, or what is known of one."""
    asked, settings = split_words(arguments)
    if arguments.target is not None:
        settings = [*settings, f"data.target={arguments.target}"]
    check_one("data", asked)
    others = [word for word in settings if not word.startswith("data.") and word.partition(".")[0] in known_keys()]
    if others:
        fail("cli.only-data-settings", found=" ".join(others))
    if asked:
        facts = verbs.data_facts(asked[0], settings)
        return Outcome(facts, lambda console: print_facts(console, facts))
    draft = RecipeDraft()
    draft.read_words(settings)
    rows = catalogue_facts(draft.recipe().data.root)
    return Outcome({"data": rows}, lambda console: print_data_list(console, rows))
