"""What the user's loaders tell without being run: how they draw, and what lies in memory."""

from typing import Any

from danlu.watch.measured import Measured


def read_loaders(measured: Measured, loader: Any, val_loader: Any) -> None:
    """Note how the training loader draws its samples."""
    sampler = getattr(loader, "sampler", None)
    measured.draws_in_order = type(sampler).__name__ == "SequentialSampler" if sampler is not None else None
