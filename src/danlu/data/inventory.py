"""What data hold, in a few plain values: enough to say later what has changed."""

from collections.abc import Mapping
from typing import Any

from danlu.base.errors import Fault
from danlu.base.naming import listed
from danlu.data.dataset import Dataset
from danlu.data.label_sets import LabelSets
from danlu.data.memory import MemoryDataset
from danlu.data.reconstruction import Reconstruction
from danlu.data.targets import Labels

MOST_TOLD = 8


def inventory(data: Dataset) -> dict[str, Any]:
    """Rows, shape, classes, and of a table a checksum of each column, as JSON can hold them.

    >>> from danlu.data import load
    >>> inventory(load("iris"))["classes"]
    ['setosa', 'versicolor', 'virginica']
    """
    inner = data.inner if isinstance(data, Reconstruction) else data
    columns = inner.columns if isinstance(inner, MemoryDataset) else None
    return {
        "samples": sum(data.sizes.values()),
        "sizes": dict(data.sizes),
        "sample_shape": list(data.sample_shape),
        "classes": list(data.target.names) if isinstance(data.target, Labels | LabelSets) else None,
        "columns": dict(columns) if columns is not None else None,
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Fault]:
    """What differs between two inventories of data whose fingerprints differ: at least one fault."""
    told: list[Fault] = []
    old, new = before["samples"], now["samples"]
    if old != new:
        id = "data.change-rows-more" if new > old else "data.change-rows-fewer"
        told.append(Fault(id, {"count": abs(new - old), "before": old, "now": new}))
    elif before["sizes"] != now["sizes"]:
        told.append(Fault("data.change-split", {"before": _sizes(before), "now": _sizes(now)}))
    if before["classes"] is not None and now["classes"] is not None:
        told += _names("classes", before["classes"], now["classes"])
    if before["columns"] is not None and now["columns"] is not None:
        told += _names("columns", before["columns"], now["columns"])
        other = [name for name, seen in before["columns"].items() if now["columns"].get(name, seen) != seen]
        if other and old == new:
            told.append(Fault("data.change-values", {"columns": listed(other, MOST_TOLD)}))
    elif before["sample_shape"] not in (None, now["sample_shape"]):
        shapes = {"before": before["sample_shape"], "now": now["sample_shape"]}
        told.append(Fault("data.change-shape", shapes))
    return told or [Fault("data.change-anything")]


def _names(what: str, before: Any, now: Any) -> list[Fault]:
    gone, come = [name for name in before if name not in now], [name for name in now if name not in before]
    told = [Fault(f"data.change-{what}-gone", {"names": listed(gone, MOST_TOLD)})] if gone else []
    return [*told, *([Fault(f"data.change-{what}-new", {"names": listed(come, MOST_TOLD)})] if come else [])]


def _sizes(inventory: Mapping[str, Any]) -> str:
    return " / ".join(str(size) for size in inventory["sizes"].values())
