"""The best of a study, trained once more: on all but the test part, or else it is said that it was not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, TensorDataset, WeightedRandomSampler

import danlu

NUMBERS = numpy.random.default_rng(0)
X = torch.from_numpy(NUMBERS.normal(size=(90, 4)).astype("float32"))
Y = torch.arange(90) % 3


class Rows(Dataset[Any]):
    def __init__(self, first: int, last: int) -> None:
        self.first, self.last = first, last

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        return X[self.first + row], int(Y[self.first + row])


def arrays(place: Path) -> Any:
    return X.numpy(), Y.numpy()


def parts(place: Path) -> Any:
    pools = [TensorDataset(X[rows], Y[rows]) for rows in (slice(0, 50), slice(50, 70), slice(70, 90))]
    return dict(zip(("train", "validation", "test"), pools, strict=True))


def loaded_parts(place: Path) -> Any:
    return danlu.load(parts(place))


def streamed(place: Path) -> Any:
    return Rows(0, 90)


def streamed_parts(place: Path) -> Any:
    return {"train": Rows(0, 50), "validation": Rows(50, 70), "test": Rows(70, 90)}


def folder(place: Path) -> Any:
    for part, count in (("train", 10), ("val", 4), ("test", 4)):
        for name, value in (("dark", 20), ("light", 200)):
            (place / "pictures" / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = NUMBERS.integers(0, 50, (8, 8), dtype=numpy.uint8) + numpy.uint8(value)
                Image.fromarray(pixels).save(place / "pictures" / part / name / f"{number}.png")
    return place / "pictures"


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("source", "train", "test"),
    [
        (arrays, 72, 18),
        (parts, 70, 20),
        (loaded_parts, 70, 20),
        (streamed, 72, 18),
        (streamed_parts, 70, 20),
        (folder, 28, 8),
    ],
)
def test_all_but_the_test_part_is_trained_on(
    source: Callable[[Path], Any], train: int, test: int, tmp_path: Path
) -> None:
    study = danlu.compare(
        "softmax-regression", source(tmp_path), vary={"lr": [0.01, 0.1]}, seeds=1, epochs=1, folder=tmp_path / "study",
        progress=False,
    )  # fmt: skip
    assert study.best is not None
    assert study.best.refit
    assert danlu.Run(study.best.run).data.sizes == {"train": train, "validation": 0, "test": test}


@pytest.mark.every(2)
@pytest.mark.parametrize("why", ["schedule", "order"])
def test_what_cannot_be_is_not_claimed(why: str, tmp_path: Path, language: str) -> None:
    data: Any = parts(tmp_path)
    if why == "order":
        sampler = WeightedRandomSampler([1.0] * 50, 50)
        data = {**data, "train": DataLoader(data["train"], batch_size=10, sampler=sampler)}
    settings: dict[str, Any] = {"schedule.name": "plateau"} if why == "schedule" else {}
    study = danlu.compare(
        "softmax-regression", data, vary={"lr": [0.01, 0.1]}, seeds=1, epochs=1, folder=tmp_path / "study",
        progress=False, **settings,
    )  # fmt: skip
    assert study.best is not None
    assert not study.best.refit
    assert danlu.Run(study.best.run).data.sizes["validation"] == 20
    words = {"en": "validation part cannot be added", "zh": "验证集未并入"}[language]
    assert words in " ".join(str(study).split())
