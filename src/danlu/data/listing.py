"""The catalogue as plain facts, for those who ask what there is."""

from typing import Any

from danlu.data.catalogue import entry, names
from danlu.data.fetch import find


def catalogue_facts(root: str | None = None) -> list[dict[str, Any]]:
    """Name, title, licence, source page and place of every data set; the place is None where it is not on this machine.

    >>> catalogue_facts()[0]["name"]
    'digits'
    """
    rows: list[dict[str, Any]] = []
    for name in names():
        found = entry(name)
        place = find(found, root)
        rows.append(
            {
                "name": name,
                "title": found.title,
                "licence": found.licence,
                "source": found.page,
                "path": None if place is None else str(place),
                "bundled": not found.layouts,
            }
        )
    return rows
