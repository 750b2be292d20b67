"""The idx format of MNIST and its relatives: a short header, then unsigned bytes; gzipped or not.

Format: http://yann.lecun.com/exdb/mnist/ (two zero bytes, a type code, the rank, and each dimension
as a big-endian uint32).
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import IO, Any

import numpy
import torch

from danlu.base.errors import fail
from danlu.base.input_files import guarded, open_unpacked
from danlu.data.images import Images, Pool
from danlu.data.targets import Label

UNSIGNED_BYTE = 0x08
BLOCK = 2**20


def read_idx(path: Path, rank: int) -> "numpy.ndarray[Any, numpy.dtype[numpy.uint8]]":
    """The array in the idx file `path`, which must hold unsigned bytes and have `rank` dimensions."""
    try:
        with open_unpacked(path) as file, guarded(path):
            return _read(file, path, rank)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        fail("data.gzip-damaged", path=path)


def read_idx_folder(folder: Path, classes: tuple[Label, ...] | None = None) -> Images:
    """The four files of MNIST in `folder`: training and test images with their labels. Default classes: 0 to 9."""
    classes = classes or tuple(range(10))
    train = _read_pool(folder, "train", len(classes))
    test = _read_pool(folder, "t10k", len(classes))
    if train.images.shape[1:] != test.images.shape[1:]:
        fail("data.parts-differ", first=list(train.images.shape[1:]), other=list(test.images.shape[1:]))
    return Images(train, test, classes)


def idx_file(folder: Path, stem: str) -> Path | None:
    """The file `stem` in `folder`, gzipped or not; None when there is neither."""
    return next((path for path in (folder / stem, folder / f"{stem}.gz") if path.is_file()), None)


def _read_pool(folder: Path, part: str, classes: int) -> Pool:
    paths = [idx_file(folder, f"{part}-{stem}") for stem in ("images-idx3-ubyte", "labels-idx1-ubyte")]
    image_path, label_path = (path or fail("data.missing-file", path=folder / part, hint="") for path in paths)
    images, labels = read_idx(image_path, 3), read_idx(label_path, 1)
    if len(images) != len(labels):
        fail("data.counts-differ", images=image_path, n=len(images), labels=label_path, m=len(labels))
    if len(labels) == 0:
        fail("data.empty-file", path=label_path)
    if labels.max() >= classes:
        wrong = labels >= classes
        fail(
            "data.label-range", path=label_path, row=int(wrong.argmax()) + 1, found=int(labels.max()), limit=classes - 1
        )
    return Pool(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels.astype(numpy.int64)))


def _read(file: IO[bytes], path: Path, rank: int) -> "numpy.ndarray[Any, numpy.dtype[numpy.uint8]]":
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] != UNSIGNED_BYTE:
        fail("data.not-idx", path=path, found=start.hex(" ") or "-", wanted=f"00 00 08 {rank:02x}")
    if start[3] != rank:
        fail("data.idx-rank", path=path, found=start[3], wanted=rank)
    header = file.read(4 * rank)
    if len(header) < 4 * rank:
        fail("data.idx-length", path=path, dims="-", wanted=4 + 4 * rank, found=4 + len(header))
    dims = struct.unpack(f">{rank}I", header)
    wanted = math.prod(dims)
    # Block by block, so that a header that lies about the size cannot make us ask for memory that the file never fills.
    content = bytearray()
    while len(content) <= wanted and (block := file.read(min(BLOCK, wanted + 1 - len(content)))):
        content += block
    if len(content) != wanted:
        found = f"> {wanted}" if len(content) > wanted else len(content)
        fail("data.idx-length", path=path, dims=" × ".join(map(str, dims)), wanted=wanted, found=found)
    return numpy.frombuffer(content, dtype=numpy.uint8).reshape(dims)
