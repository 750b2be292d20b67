"""The choices that `load` passes on to whatever kind of source it finds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Shares and seed of the split, task, whether to standardise (None: as befits the kind of data), workers."""

    validation: float = 0.1
    test: float = 0.2
    split_seed: int = 0
    task: str = "auto"
    standardise: bool | None = None
    workers: int = 0
