"""`danlu rules`: what watch looks for, one rule a line, or one rule in full."""

import argparse

from danlu.cli.outcome import Outcome
from danlu.cli.words import check_one
from danlu.view.rules import print_rule, print_rule_list
from danlu.watch.rule_facts import all_rules, find_rule


def do_rules(arguments: argparse.Namespace) -> Outcome:
    """The rules of watch, or one of them in full. Raises UserError for a rule that does not exist."""
    check_one("rules", arguments.words)
    if arguments.words:
        rule = find_rule(arguments.words[0])
        return Outcome(rule, lambda console: print_rule(console, rule))
    rules = all_rules()
    return Outcome({"rules": rules}, lambda console: print_rule_list(console, rules))
