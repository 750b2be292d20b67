"""The choices that `load` passes on to whatever kind of source it finds."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Fold:
    """Fold number `index` of `count`, drawn from `seed`: it is the validation part, the others are trained on."""

    index: int
    count: int
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Options:
    """The keyword arguments of `load`, with its defaults; `danlu.data.load.load` says what they mean."""

    validation: float = 0.1
    test: float = 0.2
    split_seed: int = 0
    task: str = "auto"
    standardise: bool | None = None
    workers: int = 0
    group: Any = None
    time: Any = None
    fold: Fold | None = None
    tokens: str | None = None
    min_frequency: int | None = None
    steps: int | None = None
    partition: str | None = None
    image_size: int | None = None
    augment: tuple[Any, ...] = ()
