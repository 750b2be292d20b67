"""What an exported net tells of itself: one JSON, read from files that may come from anywhere; without torch."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from danlu.base.errors import fail
from danlu.base.printable import printable
from danlu.base.strict_json import checksum
from danlu.data.table.fitted import NumberColumn
from danlu.ship.export.interface import Interface

SCHEMA = 1
_CHECKSUM = "checksum"
_MOST_CHARACTERS = 256 * 2**20


def checked_metadata(text: str, path: Path, key: str | None = None) -> dict[str, Any]:
    """The metadata in `text`, or under its `key`. UserError where they are damaged, of a later danlu, made to be
    misread, or not those that were written (an older danlu did not seal them).
    """
    if len(text) > _MOST_CHARACTERS:
        fail("export.damaged", path=path, reason=f"> {_MOST_CHARACTERS:,}")
    try:
        content = json.loads(text)
        if key is not None:
            content = content[key]
        schema, preprocessing, raw = content["schema"], content["preprocessing"], content["raw"]
        if isinstance(schema, int) and schema > SCHEMA:
            fail("export.newer", path=path)
        if schema != SCHEMA or not isinstance(raw, bool) or not isinstance(content["golden"], list):
            raise ValueError("schema")
        interface = Interface(preprocessing, raw=raw)
        interface.description()
        if interface.has_labels:
            _ = interface.labels
        _sizes(preprocessing)
        _classes(interface)
        _ranges(interface)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        fail("export.damaged", path=path, reason=f"{type(error).__name__}: {error}"[:200])
    refuse_unshown(interface, path)
    if _CHECKSUM in content and sealed(content)[_CHECKSUM] != content[_CHECKSUM]:
        fail("export.changed-description", path=path)
    return content


def sealed(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata with a checksum of them all, so that none of them can change unseen.

    >>> sealed(sealed({"raw": True}) | {"raw": False}) == sealed({"raw": False})
    True
    """
    content = {key: value for key, value in metadata.items() if key != _CHECKSUM}
    return {**content, _CHECKSUM: checksum(content)}


def refuse_unshown(interface: Interface, path: Path) -> None:
    """UserError where a name of a class or a column holds what a terminal would obey instead of showing it."""
    for name in _names(interface):
        if printable(name) != name:
            fail("export.unshown-name", path=path, name=printable(name)[:80])


def _names(interface: Interface) -> Iterator[str]:
    yield str(interface.plain["name"])
    if interface.task != "language":
        yield from interface.class_names
    yield from map(str, interface.plain["target"].get("names", ()))
    yield from (one.name for one in interface.inputs)
    if interface.input == "series":
        layout = interface.windows
        yield from (name for name in (layout.target, layout.group, layout.time and layout.time.name) if name)


def _sizes(preprocessing: Mapping[str, Any]) -> None:
    """ValueError where a size is none."""
    sides = [*preprocessing["sample_shape"], preprocessing["outputs"]]
    if not all(isinstance(side, int) and 0 < side < 2**31 for side in sides):
        raise ValueError("sizes")


def _classes(interface: Interface) -> None:
    """ValueError where there are not as many classes, and thresholds of labels, as outputs."""
    outputs, names = interface.plain["outputs"], interface.class_names
    if (names and len(names) != outputs) or (interface.task == "multi-label" and len(interface.least) != outputs):
        raise ValueError("classes")


def _ranges(interface: Interface) -> None:
    """ValueError where the ranges of the training part are not those of the features."""
    if any(isinstance(one, NumberColumn) and (one.low is None) != (one.high is None) for one in interface.columns):
        raise ValueError("ranges")
    ranges, shape = interface.ranges, interface.sample_shape
    if ranges is not None and (len(ranges.low), len(ranges.high)) != ((shape[0] if len(shape) == 1 else 1),) * 2:
        raise ValueError("ranges")
