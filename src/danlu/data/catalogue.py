"""The data sets known by name. A new one is one entry here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from danlu.data.images import Images
from danlu.data.readers.bundled import read_digits
from danlu.data.readers.cifar import read_cifar
from danlu.data.readers.idx import IDX_STEMS, read_idx_folder


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch, and the hash ("md5:…") of its published version."""

    name: str
    known_hash: str


@dataclass(frozen=True)
class Entry:
    """A data set by name.

    `layouts` are where it may lie under a data root, as patterns; `needs` are the files a folder must hold, gzipped or
    not. `reader` is given the folder or archive found. `pickled` are patterns of the same data in a form that is
    never read. An entry without files ships inside a library.
    """

    name: str
    title: str
    licence: str
    page: str
    reader: Callable[[Path], Images]
    layouts: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    pickled: tuple[str, ...] = ()
    files: tuple[RemoteFile, ...] = ()
    mirrors: tuple[str, ...] = ()


_CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip

_ENTRIES = (
    Entry(
        name="digits",
        title="Optical recognition of handwritten digits",
        licence="CC BY 4.0",
        page="https://archive.ics.uci.edu/dataset/80",
        reader=read_digits,
    ),
    Entry(
        name="mnist",
        title="MNIST handwritten digits",
        licence="CC BY-SA 3.0",
        page="http://yann.lecun.com/exdb/mnist/",
        reader=read_idx_folder,
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
    Entry(
        name="fashion-mnist",
        title="Fashion-MNIST, Zalando's article images",
        licence="MIT",
        page="https://github.com/zalandoresearch/fashion-mnist",
        reader=partial(read_idx_folder, classes=_CLOTHES),
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
    Entry(
        name="cifar10",
        title="CIFAR-10 tiny images",
        licence="none stated; cite Krizhevsky 2009",
        page="https://www.cs.toronto.edu/~kriz/cifar.html",
        reader=read_cifar,
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
)

_BY_NAME = {entry.name: entry for entry in _ENTRIES}


def names() -> tuple[str, ...]:
    """The names that `load` knows.

    >>> "mnist" in names()
    True
    """
    return tuple(_BY_NAME)


def entry(name: str) -> Entry:
    """The entry called `name`.

    >>> entry("fashion-mnist").licence
    'MIT'
    """
    return _BY_NAME[name]
