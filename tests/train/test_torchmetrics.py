"""danlu's own sums against torchmetrics, batch by batch."""

import pytest
import torch
import torchmetrics
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.classification import MulticlassStatScores

from danlu.train.metrics import Metrics

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=5)


@given(classes=st.integers(2, 12), sizes=SIZES, seed=st.integers(0, 10**6))
def test_classes_are_counted_as_torchmetrics_counts_them(classes: int, sizes: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    own = Metrics("classification", classes)
    other = MulticlassStatScores(num_classes=classes, average=None, validate_args=False)
    some = int(torch.randint(1, classes + 1, (), generator=generator))  # the other classes are nowhere
    for size in sizes:
        logits, targets = (
            torch.randn(size, classes, generator=generator),
            torch.randint(0, some, (size,), generator=generator),
        )
        own.update(logits, targets)
        other.update(logits.argmax(1), targets)
    true, false, _, missed, support = other.compute().double().unbind(1)
    met = true + false + missed > 0
    f1 = (2 * true[met] / (2 * true + false + missed)[met]).mean()
    assert own.compute(0.0) == {"accuracy": float(true.sum() / support.sum()), "f1": float(f1)}


@pytest.mark.every(2)
@pytest.mark.parametrize("kind", ["noise", "constant targets", "constant and exact", "far from zero"])
@given(targets=st.integers(1, 3), sizes=SIZES, seed=st.integers(0, 10**6))
def test_errors_are_summed_as_torchmetrics_sums_them(kind: str, targets: int, sizes: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    own = Metrics("regression", targets)
    others = {
        "r2": torchmetrics.R2Score(multioutput="uniform_average"),
        "mae": torchmetrics.MeanAbsoluteError(),
        "rmse": torchmetrics.MeanSquaredError(squared=False, num_outputs=targets),
    }
    for metric in others.values():
        metric.set_dtype(torch.float64)
    for size in sizes:
        wanted = torch.randn(size, targets, generator=generator, dtype=torch.float64)
        wanted = torch.ones_like(wanted) if kind.startswith("constant") else wanted + 1e3 * (kind == "far from zero")
        found = (
            wanted if kind == "constant and exact" else wanted + torch.randn(wanted.shape, generator=generator) * 0.1
        )
        own.update(found, wanted)
        for metric in others.values():
            metric.update(found, wanted)
    told = own.compute(0.0)
    assert set(told) == {name for name in others if name != "r2" or sum(sizes) > 1}
    for name, value in told.items():
        assert value == pytest.approx(float(others[name].compute().mean()), rel=1e-12, abs=1e-12), name
