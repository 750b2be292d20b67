"""What a foreign log holds: points of named series, and what is said about how they were read."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from danlu.base.errors import Fault

TENSORBOARD, CSV = "tensorboard", "csv"


class Point(NamedTuple):
    """A value at a step as the log counts, with the time (seconds since 1970) and epoch where the log has them."""

    step: int
    value: float
    time: float | None = None
    epoch: int | None = None


@dataclass
class ForeignLog:
    """One training: its `source` ("tensorboard", "csv"), files, series by tag within a part of the data ("" where the
    log does not say), and remarks."""

    name: str
    source: str
    files: list[str] = field(default_factory=list[str])
    series: dict[tuple[str, str], list[Point]] = field(
        default_factory=lambda: defaultdict[tuple[str, str], list[Point]](list)
    )
    remarks: list[Fault] = field(default_factory=list[Fault])
