"""Golden samples inside an exported file: inputs as they go in, and what the run said of them; without torch."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy

from danlu.ship.export.compare import Difference, difference
from danlu.ship.export.feeds import Feeds
from danlu.ship.export.interface import Interface
from danlu.ship.export.onnx_file import FileAnswers

BATCH_SIZES = (1, 3, 7)
_TYPES = ("uint8", "int64", "float32", "float64", "bool")


def packed(array: Any) -> dict[str, Any]:
    """An array as JSON holds it: strings as they are, numbers bit for bit.

    >>> unpacked(packed(numpy.array([1.5, float("nan")])))
    array([1.5, nan])
    """
    array = numpy.asarray(array)
    if array.dtype.kind in "OU":
        return {"shape": list(array.shape), "strings": [str(value) for value in array.flatten().tolist()]}
    little = array.astype(array.dtype.newbyteorder("<"))
    content = base64.b64encode(little.tobytes()).decode("ascii")
    return {"shape": list(array.shape), "dtype": array.dtype.name, "base64": content}


def unpacked(plain: Mapping[str, Any]) -> "numpy.ndarray[Any, Any]":
    """The array that `packed` wrote. KeyError, TypeError or ValueError where it is none."""
    shape = [int(side) for side in plain["shape"]]
    if "strings" in plain:
        if not all(isinstance(value, str) for value in plain["strings"]):
            raise TypeError("strings")
        return numpy.array(plain["strings"], dtype=object).reshape(shape)
    if plain["dtype"] not in _TYPES:
        raise ValueError(f"no type of ours: {plain['dtype']!r:.40}")
    content = base64.b64decode(plain["base64"], validate=True)
    return numpy.frombuffer(content, numpy.dtype(plain["dtype"]).newbyteorder("<")).reshape(shape)


def golden(feeds: Feeds, answers: FileAnswers) -> dict[str, Any]:
    """Some samples and the run's answers, as `known` reads them."""
    told = {"values": answers.values, "probabilities": answers.probabilities, "outputs": answers.outputs}
    return {
        "inputs": {name: packed(array) for name, array in feeds.arrays.items()},
        "answers": {name: packed(array) for name, array in told.items() if array is not None},
    }


def known(plain: Mapping[str, Any]) -> tuple[Feeds, FileAnswers]:
    """The samples and answers that `golden` wrote. KeyError, TypeError or ValueError where they are none."""
    arrays = {str(name): unpacked(array) for name, array in plain["inputs"].items()}
    told = {name: unpacked(array) for name, array in plain["answers"].items()}
    count = len(told["values"])
    if not count or any(len(array) != count for array in (*arrays.values(), *told.values())):
        raise ValueError("samples and answers differ in number")
    return Feeds(arrays, count), FileAnswers(told["values"], told.get("probabilities"), told["outputs"])


def in_batches(ask: Any, feeds: Feeds, answers: FileAnswers, sizes: Sequence[int], interface: Interface) -> Difference:
    """What lies between the answers of `ask` to samples in batches of each of the `sizes`, and those they should be."""
    total = Difference()
    for size in sizes:
        for rows in _cut(feeds.count, size):
            total = total.and_then(difference(ask(feeds.rows(rows)), _some(answers, rows), scale_of(interface)))
    return total


def scale_of(interface: Interface) -> Any:
    """The deviations of a regression's targets, None of others."""
    return interface.plain["target"]["scale"] if interface.task == "regression" else None


def _cut(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))


def _some(answers: FileAnswers, rows: slice) -> FileAnswers:
    probabilities = answers.probabilities
    return FileAnswers(
        answers.values[rows], None if probabilities is None else probabilities[rows], answers.outputs[rows]
    )
