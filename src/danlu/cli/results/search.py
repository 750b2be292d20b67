"""A search as commands tell of it."""

from danlu.cli.outcome import Outcome
from danlu.study.search.result import Search
from danlu.view.search import print_search


def of_search(found: Search) -> Outcome:
    """What is told of a search."""
    record = found.as_dict()
    return Outcome(record, lambda console: print_search(console, record))
