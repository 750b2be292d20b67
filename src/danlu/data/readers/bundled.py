"""Data sets that ship inside scikit-learn: no download."""

from pathlib import Path

import numpy
import torch

from danlu.data.images import Images, Pool


def read_digits(_: Path) -> Images:
    """1,797 handwritten digits, 8 × 8 pixels of 0 to 16."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(numpy.asarray(pixels, dtype=numpy.uint8).reshape(-1, 1, 8, 8))
    return Images(
        Pool(images, torch.from_numpy(numpy.asarray(labels, dtype=numpy.int64))), None, tuple(range(10)), peak=16.0
    )
