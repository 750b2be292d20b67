"""In what order the training part comes: that is no matter of how data are loaded."""

from dataclasses import replace

from danlu.base.errors import Fault, Faults
from danlu.base.recipe import DataRecipe
from danlu.data import Dataset
from danlu.data.memory import MemoryDataset

OF_ORDER = ("shuffle", "balance")
"""The keys of [data] that say so."""


def balanced_data(recipe: DataRecipe, data: Dataset) -> Dataset:
    """The data as they are, or where the recipe balances classes those of which an epoch has as many of each; it is
    noted how often a sample of the rarest comes. UserError where data have no classes, or cannot be drawn from so.
    """
    if recipe.balance != "classes":
        return data
    faults = Faults()
    if data.weighted() is not None:
        faults.add("lab.balance-or-weights")
    if data.task != "classification":
        faults.add("lab.balance-needs-classes", task=Fault(f"base.task-{data.task}"))
    if not recipe.shuffle:
        faults.add("lab.balance-needs-shuffle")
    faults.raise_if_any()
    data, counts = data.balanced(), data.class_counts()
    assert counts is not None
    there = [count for count in counts if count]
    each = sum(there) / len(there)
    words = {"each": round(each), "label": data.classes[counts.index(min(there))], "times": f"{each / min(there):.3g}"}
    return replace(data, notes=(*data.notes, Fault("lab.balanced", words)))


def told_of_weights(data: Dataset) -> Dataset:
    """The data, with the note that their samples count by weights of their own, where they do."""
    if not isinstance(data, MemoryDataset) or data.sample_weights is None:
        return data
    least, most = (f"{float(one):.3g}" for one in (data.sample_weights.min(), data.sample_weights.max()))
    return replace(data, notes=(*data.notes, Fault("lab.sample-weights", {"least": least, "most": most})))
