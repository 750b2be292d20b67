"""Real data for the programs, as tensors: (x_train, y_train, x_test, y_test), the same split for every seed."""

import csv
import functools
import gzip
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy
import torch
from sklearn import datasets

Split = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]

_root = [Path("shared/data")]


def use_root(folder: Path) -> None:
    """Read from `folder` from now on."""
    _root[0] = folder


def root() -> Path:
    return _root[0]


def batches(x: torch.Tensor, y: torch.Tensor, size: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Shuffled batches of `size`, the last one whatever is left."""
    for index in torch.randperm(len(x)).split(size):
        yield x[index], y[index]


@torch.no_grad()
def accuracy(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Share of right answers, of a class per row of logits or of one logit; in evaluation mode."""
    training = model.training
    model.eval()
    output = model(x)
    model.train(training)
    guessed = output.argmax(-1) if output.ndim > 1 and output.shape[-1] > 1 else (output.flatten() > 0).to(y.dtype)
    return (guessed == y.flatten()).float().mean().item()


@torch.no_grad()
def r2(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Coefficient of determination, in evaluation mode."""
    training = model.training
    model.eval()
    error = (model(x).flatten() - y.flatten()).square().mean()
    model.train(training)
    return (1 - error / y.var(correction=0)).item()


def _split(x: numpy.ndarray, y: numpy.ndarray, share: float = 0.8) -> Split:
    order = numpy.random.default_rng(0).permutation(len(x))
    x, y = torch.tensor(x[order], dtype=torch.float32), torch.tensor(y[order])
    y = y.float() if y.is_floating_point() else y.long()
    cut = int(share * len(x))
    return x[:cut], y[:cut], x[cut:], y[cut:]


def standardise(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """`x` with the mean and the standard deviation of `like` taken out, column by column."""
    return (x - like.mean(0)) / like.std(0).clamp_min(1e-6)


def standardised(split: Split) -> Split:
    """A split whose inputs have mean 0 and variance 1 in the training part."""
    x, y, x_test, y_test = split
    return standardise(x, x), y, standardise(x_test, x), y_test


def standardised_both(split: Split) -> Split:
    """A split whose inputs and targets have mean 0 and variance 1 in the training part."""
    x, y, x_test, y_test = standardised(split)
    return x, standardise(y, y), x_test, standardise(y_test, y)


@functools.cache
def _idx(folder: str, part: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    with gzip.open(root() / folder / f"{part}-images-idx3-ubyte.gz") as file:
        pixels = numpy.frombuffer(file.read(16 + count * 784)[16:], numpy.uint8)
    with gzip.open(root() / folder / f"{part}-labels-idx1-ubyte.gz") as file:
        labels = numpy.frombuffer(file.read(8 + count)[8:], numpy.uint8)
    return torch.tensor(pixels).view(-1, 1, 28, 28).float() / 255, torch.tensor(labels).long()


def mnist(count: int = 4000, folder: str = "mnist") -> Split:
    """Digits [N, 1, 28, 28] in [0, 1]; 1,000 test images."""
    return *_idx(folder, "train", count), *_idx(folder, "t10k", 1000)


def fashion(count: int = 4000) -> Split:
    """Clothes [N, 1, 28, 28] in [0, 1]; 1,000 test images."""
    return mnist(count, "fashion-mnist")


@functools.cache
def cifar(count: int = 2000) -> Split:
    """Photographs [N, 3, 32, 32] in [0, 1]; 1,000 test images."""
    parts: list[torch.Tensor] = []
    with tarfile.open(root() / "cifar-10-binary-subset.tar.gz") as archive:
        for name, rows in (("data_batch_1", count), ("test_batch", 1000)):
            file = archive.extractfile(f"cifar-10-batches-bin/{name}.bin")
            assert file is not None
            raw = numpy.frombuffer(file.read(rows * 3073), numpy.uint8).reshape(rows, 3073)
            parts += [torch.tensor(raw[:, 1:]).view(-1, 3, 32, 32).float() / 255, torch.tensor(raw[:, 0]).long()]
    return parts[0], parts[1], parts[2], parts[3]


@functools.cache
def digits() -> Split:
    """Handwritten digits [N, 64] in [0, 1], 1,437 to train on."""
    x, y = datasets.load_digits(return_X_y=True)
    return _split(x / 16, y)


@functools.cache
def iris() -> Split:
    """150 flowers of three kinds, 4 lengths in centimetres."""
    return _split(*datasets.load_iris(return_X_y=True))


@functools.cache
def wine() -> Split:
    """178 wines of three growers, 13 columns in their own units."""
    return _split(*datasets.load_wine(return_X_y=True))


@functools.cache
def breast_cancer() -> Split:
    """569 tumours, 30 columns in their own units, 1 for benign."""
    return _split(*datasets.load_breast_cancer(return_X_y=True))


@functools.cache
def diabetes() -> Split:
    """442 patients, 10 columns, a target of 25 to 346."""
    return _split(*datasets.load_diabetes(return_X_y=True, scaled=False))


@functools.cache
def pima() -> Split:
    """759 women, 8 columns in [-1, 1], 1 for no diabetes."""
    rows = numpy.loadtxt(root() / "pima-diabetes.csv.gz", delimiter=",")
    return _split(rows[:, :-1], rows[:, -1].astype(int))


@functools.cache
def wine_quality() -> Split:
    """1,599 red wines, 11 columns in their own units, a mark of 3 to 8 as a float."""
    rows = numpy.loadtxt(root() / "winequality-red.csv", delimiter=",")
    return _split(rows[:, :-1], rows[:, -1])


@functools.cache
def titanic() -> Split:
    """891 passengers: class, sex, age, siblings, parents, fare, port; 1 for survived."""
    with open(root() / "titanic.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    ages = [float(row["Age"]) for row in rows if row["Age"]]
    x = [
        [
            float(row["Pclass"]), float(row["Sex"] == "male"), float(row["Age"] or numpy.median(ages)),
            float(row["SibSp"]), float(row["Parch"]), float(row["Fare"]),
            float(row["Embarked"] == "C"), float(row["Embarked"] == "Q"),
        ]
        for row in rows
    ]  # fmt: skip
    return _split(numpy.array(x), numpy.array([int(row["Survived"]) for row in rows]))


@functools.cache
def california(count: int = 6000) -> Split:
    """Districts of California: 8 columns in their own units, the median price in dollars."""
    with tarfile.open(root() / "california-housing.tgz") as archive:
        file = archive.extractfile("housing/housing.csv")
        assert file is not None
        table = csv.DictReader(io.TextIOWrapper(file, "utf-8"))
        names = [name for name in table.fieldnames or () if name != "ocean_proximity"]
        rows = numpy.array([[float(row[name]) for name in names] for row in table if row["total_bedrooms"]])
    rows = rows[numpy.random.default_rng(1).permutation(len(rows))[:count]]
    return _split(rows[:, :-1], rows[:, -1])


@functools.cache
def houses() -> Split:
    """1,460 houses of Ames: the numeric columns, missing ones 0, and the price in dollars."""
    with open(root() / "kaggle_house_pred_train.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    columns: list[list[float]] = []
    for name in rows[0]:
        try:
            columns.append([float("0" if row[name] == "NA" else row[name]) for row in rows])
        except ValueError:
            continue
    table = numpy.array(columns).T[:, 1:]
    return _split(table[:, :-1], table[:, -1])


@functools.cache
def airline() -> torch.Tensor:
    """Passengers a month, in thousands, 1949 to 1960 [144]."""
    with open(root() / "airline-passengers.csv", newline="") as file:
        return torch.tensor([float(row["Passengers"]) for row in csv.DictReader(file)])


LETTERS = "\0abcdefghijklmnopqrstuvwxyz"


@functools.cache
def names(length: int = 12) -> Split:
    """Family names of 18 countries as letters [N, 12] padded with 0, and the country."""

    def read(part: str) -> list[list[str]]:
        with gzip.open(root() / f"names_{part}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    countries = sorted({country for _, country in read("train")})

    def encode(rows: list[list[str]]) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.zeros(len(rows), length, dtype=torch.long)
        for row, (name, _) in enumerate(rows):
            kept = [LETTERS.find(letter) for letter in name.lower() if letter in LETTERS[1:]][:length] or [1]
            x[row, : len(kept)] = torch.tensor(kept)
        return x, torch.tensor([countries.index(country) for _, country in rows])

    x, y = encode(read("train"))
    x_test, y_test = encode(read("test"))
    random = numpy.random.default_rng(0)
    order, order_test = torch.tensor(random.permutation(len(x))), torch.tensor(random.permutation(len(x_test)))
    return x[order], y[order], x_test[order_test], y_test[order_test]


@functools.cache
def time_machine() -> tuple[torch.Tensor, int]:
    """The Time Machine as one row of characters (27 of them: letters and the blank), and their number."""
    text = (root() / "timemachine.txt").read_text(encoding="utf-8").lower()
    words = "".join(letter if letter.isascii() and letter.isalpha() else " " for letter in text).split()
    return torch.tensor([ord(letter) - 96 if letter != " " else 0 for letter in " ".join(words)]), 27


@functools.cache
def wikitext(vocabulary: int = 2000) -> tuple[torch.Tensor, int]:
    """Wikipedia articles as one row of words, the rarer ones all 0, and the size of the vocabulary."""
    with gzip.open(root() / "wikitext2.valid.txt.gz", "rt", encoding="utf-8") as file:
        words = file.read().lower().split()
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    kept = sorted(counts, key=lambda word: -counts[word])[: vocabulary - 1]
    index = {word: position + 1 for position, word in enumerate(kept)}
    return torch.tensor([index.get(word, 0) for word in words]), vocabulary


def windows(row: torch.Tensor, length: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """`count` windows of `length` spread over the row, and the same windows one place later."""
    starts = torch.linspace(0, len(row) - length - 1, count).long()
    return torch.stack([row[s : s + length] for s in starts]), torch.stack(
        [row[s + 1 : s + 1 + length] for s in starts]
    )
