"""The data sets known by name. A new one is one entry here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from danlu.base.input_files import path_kind
from danlu.base.naming import spelled
from danlu.data import readers
from danlu.data.readers.idx_files import IDX_STEMS

if TYPE_CHECKING:  # what there is can be told without torch, which what the readers give needs
    from danlu.data.images import Images
    from danlu.data.table.load import KnownTable
    from danlu.data.text.corpus import Corpus
    from danlu.data.text.pairs import Pairs
    from danlu.data.text.sequences import Texts
    from danlu.data.text.tagged_texts import Tagged


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch, and the hash ("md5:…") of its published version; `remote` is its name there, where another."""

    name: str
    known_hash: str = ""
    remote: str = ""


@dataclass(frozen=True)
class DataEntry:
    """A data set by name.

    `layouts` are where it may lie under a data root, as patterns; `needs` are the files a folder must hold, gzipped or
    not. `reader` is given the folder or archive found. `pickled` are patterns of the same data in a form that is
    never read. An entry without files ships inside a library; one without mirrors must be put there by hand. `drawn`
    makes data that are drawn from the standard deviation of their noise.
    """

    name: str
    title: str
    licence: str
    page: str
    reader: "Callable[[Path], Images | KnownTable | Texts | Corpus | Tagged | Pairs]"
    layouts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    pickled: tuple[str, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    mirrors: tuple[str, ...] = ()
    drawn: "Callable[[float], KnownTable] | None" = None


_CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

_D2L = ("http://d2l-data.s3-accelerate.amazonaws.com/", "https://d2l-data.s3-accelerate.amazonaws.com/")


def _shape(name: str, title: str) -> DataEntry:
    """Points in a plane that danlu draws."""
    return DataEntry(
        name=name,
        title=f"{title}; drawn, not collected",
        licence="public domain",
        page="https://playground.tensorflow.org",
        reader=lambda _: readers.draw_shape(name),
        drawn=lambda noise: readers.draw_shape(name, noise),
    )


def _github(repository: str, commit: str, folder: str) -> tuple[str, ...]:
    """A folder of a repository as it was at a commit, from GitHub itself and from a mirror."""
    return (
        f"https://raw.githubusercontent.com/{repository}/{commit}/{folder}",
        f"https://cdn.jsdelivr.net/gh/{repository}@{commit}/{folder}",
    )


_ENTRIES = (
    DataEntry(
        name="digits",
        title="Optical recognition of handwritten digits",
        licence="CC BY 4.0",
        page="https://archive.ics.uci.edu/dataset/80",
        reader=lambda path: readers.read_digits(path),
    ),
    DataEntry(
        name="digit-masks",
        title="Handwritten digits in larger fields, with masks",
        licence="CC BY 4.0",
        page="https://archive.ics.uci.edu/dataset/80",
        reader=lambda path: readers.read_digit_masks(path),
    ),
    DataEntry(
        name="mnist",
        title="MNIST handwritten digits",
        licence="CC BY-SA 3.0",
        page="http://yann.lecun.com/exdb/mnist/",
        reader=lambda path: readers.read_idx_folder(path),
        layouts=("mnist", "MNIST/raw", "MNIST"),
        needs=IDX_STEMS,
        files=(
            RemoteFile("train-images-idx3-ubyte.gz", "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            RemoteFile("train-labels-idx1-ubyte.gz", "md5:d53e105ee54ea40749a09fcbcd1e9432"),
            RemoteFile("t10k-images-idx3-ubyte.gz", "md5:9fb629c4189551a2d022fa330f9573f3"),
            RemoteFile("t10k-labels-idx1-ubyte.gz", "md5:ec29112dd5afa0611ce80d1b7f02629c"),
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
    ),
    DataEntry(
        name="fashion-mnist",
        title="Fashion-MNIST, Zalando's article images",
        licence="MIT",
        page="https://github.com/zalandoresearch/fashion-mnist",
        reader=lambda path: readers.read_idx_folder(path, classes=_CLOTHES),
        layouts=("fashion-mnist", "FashionMNIST/raw", "FashionMNIST"),
        needs=IDX_STEMS,
        files=(
            RemoteFile("train-images-idx3-ubyte.gz", "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            RemoteFile("train-labels-idx1-ubyte.gz", "md5:25c81989df183df01b3e8a0aad5dffbe"),
            RemoteFile("t10k-images-idx3-ubyte.gz", "md5:bef4ecab320f06d8554ea6380940ec79"),
            RemoteFile("t10k-labels-idx1-ubyte.gz", "md5:bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
    ),
    DataEntry(
        name="cifar10",
        title="CIFAR-10 tiny images",
        licence="none stated; cite Krizhevsky 2009",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        reader=lambda path: readers.read_cifar(path),
        layouts=(
            "cifar-10-batches-bin",
            "cifar-10-binary*.tar.gz",
            "cifar10/cifar-10-batches-bin",
            "cifar10/cifar-10-binary*.tar.gz",
        ),
        needs=("test_batch.bin",),
        pickled=("cifar-10-python.tar.gz", "cifar-10-batches-py"),
        files=(RemoteFile("cifar-10-binary.tar.gz", "md5:c32a1d4ab5d03f1284b67883e8d87530"),),
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/",
        ),
    ),
    DataEntry(
        name="breast-cancer",
        title="Breast cancer Wisconsin (diagnostic)",
        licence="CC BY 4.0",
        page="https://archive.ics.uci.edu/dataset/17",
        reader=lambda path: readers.read_bundled_table("breast_cancer", "diagnosis", path),
    ),
    DataEntry(
        name="wine",
        title="Wine recognition",
        licence="CC BY 4.0",
        page="https://archive.ics.uci.edu/dataset/109",
        reader=lambda path: readers.read_bundled_table("wine", "cultivar", path),
    ),
    DataEntry(
        name="iris",
        title="Fisher's iris flowers",
        licence="CC BY 4.0",
        page="https://archive.ics.uci.edu/dataset/53",
        reader=lambda path: readers.read_bundled_table("iris", "species", path),
    ),
    DataEntry(
        name="diabetes",
        title="Progression of diabetes within a year",
        licence="none stated; cite Efron et al. 2004",
        page="https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html",
        reader=lambda path: readers.read_bundled_table("diabetes", "progression", path),
    ),
    DataEntry(
        name="titanic",
        title="Passengers of the Titanic",
        licence="none stated; from Kaggle's competition",
        page="https://www.kaggle.com/competitions/titanic",
        reader=lambda path: readers.read_known_table(path, target="Survived"),
        layouts=("titanic.csv", "titanic/titanic.csv", "titanic/train.csv"),
        files=(RemoteFile("titanic.csv", "md5:61fdd54abdbf6a85b778e937122e1194"),),
        mirrors=_github("datasciencedojo/datasets", "1101b19008569fab7eec7e3b04d2b68613092607", ""),
    ),
    DataEntry(
        name="pima-diabetes",
        title="Diabetes among Pima women, eight measurements scaled to -1 … 1",
        licence="CC0 1.0",
        page="https://www.kaggle.com/datasets/uciml/pima-indians-diabetes-database",
        reader=lambda path: readers.read_pima(path),
        layouts=("pima-diabetes.csv*", "pima-diabetes/pima-diabetes.csv*"),
        files=(RemoteFile("pima-diabetes.csv.gz", "md5:b7f372850118dfaf306e2f334e6a718f", remote="diabetes.csv.gz"),),
        mirrors=_github("hunkim/PyTorchZeroToAll", "8440894e621e3922a394da25b4a0806bdabee21c", "data/"),
    ),
    DataEntry(
        name="california-housing",
        title="House values in California's districts, 1990",
        licence="none stated; cite Pace and Barry 1997",
        page="https://github.com/ageron/data",
        reader=lambda path: readers.read_known_table(path, target="median_house_value"),
        layouts=("california-housing.tgz", "california-housing/california-housing.tgz", "california-housing/housing.*"),
        files=(
            RemoteFile("california-housing.tgz", "md5:6ec6db9fe6680846c6a878e80b640303", remote="housing/housing.tgz"),
        ),
        mirrors=_github("ageron/data", "2ea73147454d2ff8c8a933913be4606f05b352ca", ""),
    ),
    DataEntry(
        name="house-prices",
        title="House prices in Ames, Iowa",
        licence="none stated; cite De Cock 2011",
        page="https://www.kaggle.com/competitions/house-prices-advanced-regression-techniques",
        reader=lambda path: readers.read_known_table(path, target="SalePrice"),
        layouts=("kaggle_house_pred_train.csv", "house-prices/kaggle_house_pred_train.csv", "house-prices/train.csv"),
        files=(RemoteFile("kaggle_house_pred_train.csv", "sha1:585e9cc93e70b39160e7921475f9bcd7d31219ce"),),
        mirrors=_D2L,
    ),
    DataEntry(
        name="names",
        title="Surnames and the nations they come from",
        licence="none stated; from the PyTorch tutorials",
        page="https://github.com/hunkim/PyTorchZeroToAll",
        reader=lambda path: readers.read_surnames(path),
        layouts=("names_train.csv*", "names/names_train.csv*"),
        files=(
            RemoteFile("names_train.csv.gz", "md5:279fed4465b63788995257cf0a81f3af"),
            RemoteFile("names_test.csv.gz", "md5:3729799e72df4be417721aab647340e3"),
        ),
        mirrors=_github("hunkim/PyTorchZeroToAll", "8440894e621e3922a394da25b4a0806bdabee21c", "data/"),
    ),
    DataEntry(
        name="dates",
        title="Dates as people write them, and as ISO 8601 has them; made, not collected",
        licence="public domain",
        page="https://www.iso.org/iso-8601-date-and-time-format.html",
        reader=lambda path: readers.read_dates(path),
    ),
    DataEntry(
        name="time-machine",
        title="The Time Machine, by H. G. Wells",
        licence="public domain",
        page="https://www.gutenberg.org/ebooks/35",
        reader=lambda path: readers.read_time_machine(path),
        layouts=("timemachine.txt", "time-machine/timemachine.txt"),
        files=(RemoteFile("timemachine.txt", "sha1:090b5e7e70c295757f55df93cb0a180b9691891a"),),
        mirrors=_D2L,
    ),
    DataEntry(
        name="time-machine-capitals",
        title="The Time Machine in small letters, with the words that had a capital",
        licence="public domain",
        page="https://www.gutenberg.org/ebooks/35",
        reader=lambda path: readers.read_capitals(path),
        layouts=("timemachine.txt", "time-machine/timemachine.txt", "time-machine-capitals/timemachine.txt"),
        files=(RemoteFile("timemachine.txt", "sha1:090b5e7e70c295757f55df93cb0a180b9691891a"),),
        mirrors=_D2L,
    ),
    DataEntry(
        name="wikitext-2",
        title="WikiText-2, good and featured articles of Wikipedia",
        licence="CC BY-SA 3.0",
        page="https://huggingface.co/datasets/Salesforce/wikitext",
        reader=lambda path: readers.read_wikitext(path),
        layouts=("wikitext2.valid.txt*", "wikitext-2/wikitext2.valid.txt*", "wikitext-2/wiki.valid.tokens"),
        files=tuple(RemoteFile(f"wikitext2.{part}.txt.gz") for part in ("train", "valid", "test")),
    ),
    _shape("moons", "Two half moons, one in the other"),
    _shape("circles", "A circle within a circle"),
    _shape("spiral", "Two arms of a spiral"),
    _shape("xor", "Four squares, those across of one class"),
    _shape("gaussians", "Two clouds that overlap"),
)

_BY_NAME = {entry.name: entry for entry in _ENTRIES}


def names() -> tuple[str, ...]:
    """The names that `load` knows.

    >>> "mnist" in names()
    True
    """
    return tuple(_BY_NAME)


def shapes() -> tuple[str, ...]:
    """The names of those that danlu draws, points (x, y) of two classes, with as much noise as is asked for.

    >>> shapes()
    ('moons', 'circles', 'spiral', 'xor', 'gaussians')
    """
    return tuple(name for name, one in _BY_NAME.items() if one.drawn)


def known(word: str) -> str | None:
    """The name that `word` spells, in whatever capitals; None where it is none, or another spelling and a file's path.

    >>> known("FashionMNIST")
    'fashion-mnist'
    """
    return word if word in _BY_NAME else None if path_kind(word) != "missing" else spelled(word, _BY_NAME)


def entry(name: str) -> DataEntry:
    """The entry called `name`.

    >>> entry("fashion-mnist").licence
    'MIT'
    """
    return _BY_NAME[name]
