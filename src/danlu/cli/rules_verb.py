"""`danlu rules`: what watch looks for, one rule a line, or one rule in full."""

import argparse
from collections.abc import Callable
from typing import Any

from rich.console import Console

from danlu.cli.words import check_one
from danlu.view.rules import print_rule, print_rule_list
from danlu.watch.rule_facts import all_rules, find_rule


def listed(arguments: argparse.Namespace) -> tuple[Any, Callable[[Console], None]]:
    """What --json prints, and how it is shown. Raises UserError for a rule that does not exist."""
    check_one("rules", arguments.words)
    if arguments.words:
        rule = find_rule(arguments.words[0])
        return rule, lambda console: print_rule(console, rule)
    rules = all_rules()
    return {"rules": rules}, lambda console: print_rule_list(console, rules)
