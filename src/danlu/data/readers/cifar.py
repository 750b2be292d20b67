"""The binary version of CIFAR-10: records of one label byte and 3 × 32 × 32 pixels, in an archive or a folder.

Format: https://www.cs.toronto.edu/~kriz/cifar.html. The archive is read in memory; nothing is unpacked on the disk. The
"python version" is a pickle, which could run any code when opened, and is never read.
"""

import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy
import torch

from danlu.base.errors import fail
from danlu.base.input_files import open_unpacked, read_file
from danlu.data.images import Images, Pool

RECORD = 1 + 3 * 32 * 32
MAX_BATCH = 100_000 * RECORD
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BINARY = re.compile(r"data_batch_\d+\.bin|test_batch\.bin|batches\.meta\.txt")
PICKLED = re.compile(r"data_batch_\d+|test_batch|batches\.meta")


def read_cifar(path: Path) -> Images:
    """Training and official test images of the archive or folder `path`, any number of training batches."""
    files = dict(_folder(path) if path.is_dir() else _archive(path))
    names = files.pop("batches.meta.txt", b"").decode("utf-8", errors="replace").split()
    classes = tuple(names) or CLASSES
    if len(classes) != len(CLASSES):
        fail("data.cifar-classes", path=path, found=len(classes))
    test = files.pop("test_batch.bin", None)
    if test is None or not files:
        fail("data.cifar-incomplete", path=path, missing="test_batch.bin" if test is None else "data_batch_1.bin")
    batches = [_records(path, name, files[name]) for name in sorted(files)]
    return Images(_pool(batches), _pool([_records(path, "test_batch.bin", test)]), classes)


def is_cifar(path: Path) -> bool:
    """Whether the folder or archive `path` holds CIFAR-10, binary or pickled; it is read no further than needed."""
    if path.is_dir():
        return any(BINARY.fullmatch(file.name) or PICKLED.fullmatch(file.name) for file in path.iterdir())
    try:
        with open_unpacked(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            names = (Path(member.name).name for member in archive)
            return any(BINARY.fullmatch(name) or PICKLED.fullmatch(name) for name in names)
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError):
        return False


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    files = sorted(path.iterdir())
    _refuse_pickled(path, [file.name for file in files])
    for file in files:
        if BINARY.fullmatch(file.name):
            _check_size(path, file.name, file.stat().st_size)
            yield file.name, read_file(file)


def _archive(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with open_unpacked(path) as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            seen: list[str] = []
            for member in archive:
                name = Path(member.name).name
                seen.append(name)
                content = archive.extractfile(member) if member.isfile() and BINARY.fullmatch(name) else None
                if content is not None:
                    _check_size(path, name, member.size)
                    yield name, content.read()
            _refuse_pickled(path, seen)
    except (tarfile.TarError, EOFError, zlib.error):
        fail("data.archive-damaged", path=path)


def _refuse_pickled(path: Path, names: list[str]) -> None:
    if any(PICKLED.fullmatch(name) for name in names) and not any(BINARY.fullmatch(name) for name in names):
        fail("data.cifar-pickled", path=path)


def _check_size(path: Path, name: str, size: int) -> None:
    if name.endswith(".bin") and (size == 0 or size % RECORD or size > MAX_BATCH):
        fail("data.cifar-size", path=path, name=name, found=size, record=RECORD)


def _records(path: Path, name: str, content: bytes) -> "numpy.ndarray[tuple[int, int], numpy.dtype[numpy.uint8]]":
    if len(content) % RECORD:
        fail("data.archive-damaged", path=path)
    records = numpy.frombuffer(content, dtype=numpy.uint8).reshape(-1, RECORD)
    wrong = records[:, 0] >= len(CLASSES)
    if wrong.any():
        row = int(wrong.argmax())
        fail(
            "data.label-range", path=f"{path}: {name}", row=row + 1, found=int(records[row, 0]), limit=len(CLASSES) - 1
        )
    return records


def _pool(batches: "list[numpy.ndarray[tuple[int, int], numpy.dtype[numpy.uint8]]]") -> Pool:
    images = numpy.concatenate([records[:, 1:] for records in batches]).reshape(-1, 3, 32, 32)
    labels = numpy.concatenate([records[:, 0] for records in batches]).astype(numpy.int64)
    return Pool(torch.from_numpy(images), torch.from_numpy(labels))
