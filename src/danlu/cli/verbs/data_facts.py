"""What is known of one data set, for `danlu data NAME`: it has to be loaded, which the list of all need not."""

from collections.abc import Sequence
from typing import Any

from danlu.run.settings.draft import draft_recipe
from danlu.run.setup import load_data


def data_facts(name: str, settings: Sequence[str]) -> dict[str, Any]:
    """The facts of the data set called `name`, loaded with `settings`."""
    return load_data(draft_recipe(data=name, words=settings).data).facts()
