"""Data sets inside scikit-learn are what scikit-learn itself says they are."""

from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from danlu.data.readers import bundled


@pytest.mark.parametrize("found", [True, False], ids=["its file", "its function"])
def test_digits_are_those_of_scikit_learn(found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundled.shipped_file("digits.csv.gz")
    assert bundled.shipped_file("no such file") is None
    if not found:
        monkeypatch.setattr(bundled, "shipped_file", lambda name: None)
    pool = bundled.read_digits(Path()).train
    pixels, labels = load_digits(return_X_y=True)
    assert torch.equal(pool.images.double().flatten(1), torch.from_numpy(pixels))
    assert torch.equal(pool.labels, torch.from_numpy(labels))
    assert (pool.images.dtype, pool.labels.dtype) == (torch.uint8, torch.int64)
