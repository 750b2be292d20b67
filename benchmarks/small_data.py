"""The small data that defaults are chosen and judged by: tables, and folders of pictures made of larger sets.

What does not lie under `root` and is not inside scikit-learn gives None, and is reported as not at hand.
"""

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import polars
import sklearn.datasets
import torch
from PIL import Image

import danlu
from danlu.data import Dataset

Make = Callable[[Path, int], Dataset | None]
"""The data set split by a seed, from the files under a folder."""


def table(file: str, target: str, **reading: Any) -> Make:
    """A file with a line of names; without one, `has_header=False`"""

    def make(root: Path, split_seed: int) -> Dataset | None:
        if not (root / file).is_file():
            return None
        frame = polars.read_csv(root / file, infer_schema_length=None, null_values=["NA", "?"], **reading)
        return danlu.load(frame, target=target, split_seed=split_seed)

    return make


def known(name: str, **settings: Any) -> Make:
    """A data set of danlu's own catalogue."""

    def make(root: Path, split_seed: int) -> Dataset | None:
        try:
            return danlu.load(name, root=str(root), split_seed=split_seed, **settings)
        except danlu.UserError:
            return None

    return make


def drawn(kind: str, **settings: Any) -> Make:
    """One of scikit-learn's synthetic sets."""

    def make(root: Path, split_seed: int) -> Dataset:
        x, y = getattr(sklearn.datasets, kind)(**settings, random_state=0)
        frame = polars.DataFrame({f"x{column}": x[:, column] for column in range(x.shape[1])})
        return danlu.load(frame.with_columns(polars.Series("y", y)), target="y", split_seed=split_seed)

    return make


def california(root: Path, split_seed: int) -> Dataset | None:
    """2,000 districts of California: with all of them it would be no small data."""
    archive = root / "california-housing.tgz"
    if not archive.is_file():
        return None
    with tarfile.open(archive) as opened:
        content = opened.extractfile("housing/housing.csv")
        assert content is not None
        frame = polars.read_csv(content.read()).sample(2000, seed=0)
    return danlu.load(frame, target="median_house_value", split_seed=split_seed)


# What the defaults have to stand: each beside scikit-learn's multilayer perceptron.
ASKED: dict[str, Make] = {
    "sonar": table("sonar.csv", "y"),
    "ionosphere": table("ionosphere.csv", "y"),
    "banknote": table("data_banknote_authentication.txt", "-1", has_header=False),
    "wine quality": table("winequality-red.csv", "-1", has_header=False),
    "titanic": known("titanic"),
    "abalone": table("abalone.data", "-1", has_header=False),
    "Boston": table("boston.csv", "y"),
    "auto-mpg": table("auto-mpg.csv", "MPG"),
    "airfoil": table("airfoil_self_noise.dat", "-1", has_header=False, separator="\t"),
    "house prices": known("house-prices"),
    "digits": known("digits"),
    "iris": known("iris"),
    "wine": known("wine"),
    "breast cancer": known("breast-cancer"),
    "diabetes": known("diabetes"),
}

# More to choose by: what is good for fifteen sets alone may be good for these fifteen only.
OTHERS: dict[str, Make] = {
    "Pima": known("pima-diabetes"),
    "California": california,
    "moons": drawn("make_moons", n_samples=400, noise=0.25),
    "clusters": drawn("make_classification", n_samples=1000, n_features=20, n_informative=8, n_classes=4),
    "Friedman 1": drawn("make_friedman1", n_samples=600, noise=1.0),
    "Friedman 2": drawn("make_friedman2", n_samples=300, noise=50.0),
}


def samples(data: Dataset, *parts: str) -> tuple["numpy.ndarray[Any, Any]", "numpy.ndarray[Any, Any]"]:
    """Encoded samples [N, features] and targets of some parts, as scikit-learn takes them."""
    pairs = [pair for part in parts for pair in data.batches(part, 10**6, device=torch.device("cpu"))]
    x, y = torch.cat([x.flatten(1) for x, _ in pairs]), torch.cat([y for _, y in pairs])
    return x.double().numpy(), y.squeeze(1).double().numpy() if y.dim() == 2 else y.numpy()


# Data set, and how many pictures of it make the folder.
FOLDERS = [
    ("digits", 300),
    ("digits", 1500),
    ("mnist", 300),
    ("mnist", 1500),
    ("fashion-mnist", 1000),
    ("cifar10", 2000),
]


def write_folder(root: Path, name: str, count: int, folder: Path) -> bool:
    """Write `count` pictures of a data set's training part as PNG files, a folder a class; False if it is not there."""
    data = known(name, validation=0.0, test=0.0, standardise=False)(root, 0)
    if data is None:
        return False
    x, y = next(iter(data.batches("train", 10**5, device=torch.device("cpu"), shuffle=True)))
    peak = float(x.max())
    for number, (picture, label) in enumerate(zip(x[:count], y[:count].tolist(), strict=True)):
        place = folder / data.classes[label]
        place.mkdir(parents=True, exist_ok=True)
        pixels = (picture * (255 / peak)).round().to(torch.uint8).permute(1, 2, 0).numpy()
        Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(place / f"{number}.png")
    return True
