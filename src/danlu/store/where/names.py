"""What an expression may name: facts of every run, settings, and scores."""

from collections.abc import Iterable, Mapping
from typing import Any

from danlu.base.keywords import home_of
from danlu.base.setting_keys import known_keys

FACTS = ("name", "title", "type", "state", "study", "finding", "findings", "tag", "star", "note", "archived", "part",
         "epochs", "steps", "seconds")  # fmt: skip
PARTS = ("test", "validation", "train")
NET, DATA = "net.name", "data.name"
_MEANT = {
    "net": NET, "data": DATA, "rule": "finding", "tags": "tag", "folder": "name", "status": "state",
}  # fmt: skip


class FactNames:
    """The names that hold for some rows: those of all runs, the settings that a recipe knows or a row has, and the
    scores that a row has."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        found: dict[str, Any] = dict.fromkeys(FACTS)
        for row in rows:
            found.update(dict.fromkeys(row))
        self._settings = {f"{section}.{key}" for section, keys in known_keys().items() for key in keys}
        self.all = [name for name in found if not name.startswith("_")]
        self._known = {*found, *self._settings}

    def resolve(self, name: str) -> str | None:
        """The full name of what `name` means; None where it is nothing.

        >>> names = FactNames([{"optim.lr": 0.1, "net.hidden": [64], "accuracy": 0.9}])
        >>> [names.resolve(name) for name in ("lr", "hidden", "net", "accuracy", "optim.lrr")]
        ['optim.lr', 'net.hidden', 'net.name', 'accuracy', None]
        """
        if name in _MEANT:
            return _MEANT[name]
        if name in self._known:
            return name
        homes = [] if "." in name else home_of(name, options=self.options)
        return homes[0] if len(homes) == 1 else None

    @property
    def options(self) -> list[str]:
        """The nets' own settings that some row has."""
        return [name.removeprefix("net.") for name in self.all if name.startswith("net.")]

    @property
    def hints(self) -> list[str]:
        """Every name that may be meant."""
        return sorted({*self._known, *_MEANT})
