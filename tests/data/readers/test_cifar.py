"""CIFAR-10's binary version, from the archive in memory or from the folder; never the pickle."""

import io
import tarfile
from pathlib import Path

import numpy
import pytest
import torch

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.readers.cifar import CLASSES


def records(count: int, seed: int) -> bytes:
    draw = numpy.random.default_rng(seed)
    content = draw.integers(0, 256, (count, 3073), dtype=numpy.uint8)
    content[:, 0] = numpy.arange(count) % 10
    return content.tobytes()


FILES = {
    "data_batch_1.bin": records(20, 1),
    "data_batch_2.bin": records(10, 2),
    "test_batch.bin": records(10, 3),
    "batches.meta.txt": "\n".join(CLASSES).encode() + b"\n\n",
}


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def folder(path: Path, files: dict[str, bytes]) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / name).write_bytes(content)
    return path


def test_archive_and_folder_hold_the_same_images(tmp_path: Path) -> None:
    packed = load(archive(tmp_path / "cifar.tar.gz", FILES))
    unpacked = load(folder(tmp_path / "cifar-10-batches-bin", FILES))
    assert packed.fingerprint() == unpacked.fingerprint()
    assert packed.sizes == {"train": 27, "validation": 3, "test": 10}
    assert (packed.sample_shape, packed.classes) == ((3, 32, 32), CLASSES)
    _, y = next(packed.batches("test", 10, device=torch.device("cpu")))
    assert packed.decode(y).tolist() == list(CLASSES)


def test_red_is_the_first_channel(tmp_path: Path) -> None:
    record = numpy.zeros(3073, dtype=numpy.uint8)
    record[1:1025] = 255
    files = {**FILES, "test_batch.bin": record.tobytes()}
    data = load(archive(tmp_path / "cifar.tar.gz", files), standardise=False)
    x, _ = next(data.batches("test", 1, device=torch.device("cpu")))
    assert x[0].mean((1, 2)).tolist() == [1.0, 0.0, 0.0]


def test_by_name_any_archive_called_like_it_under_the_root_is_taken(tmp_path: Path) -> None:
    archive(tmp_path / "cifar-10-binary-small.tar.gz", FILES)
    assert load("cifar10", root=str(tmp_path)).sizes["test"] == 10


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({"test_batch.bin": None}, r"test_batch\.bin is missing", r"缺少 test_batch\.bin"),
        (
            {"data_batch_1.bin": None, "data_batch_2.bin": None},
            r"data_batch_1\.bin is missing",
            r"缺少 data_batch_1\.bin",
        ),
        ({"data_batch_2.bin": b"x" * 3072}, r"data_batch_2\.bin has 3072 bytes", r"data_batch_2\.bin 有 3072 字节"),
        ({"data_batch_2.bin": b""}, r"data_batch_2\.bin has 0 bytes", r"data_batch_2\.bin 有 0 字节"),
        ({"data_batch_2.bin": b"\x0a" * 3073}, r"label number 1 is 10", r"第 1 个标签是 10"),
        ({"batches.meta.txt": b"cat\ndog\n"}, r"names 2 classes", r"有 2 个类别名"),
    ],
)
def test_incomplete_or_wrong_files_are_refused(
    tmp_path: Path, changes: dict[str, bytes | None], english: str, chinese: str, language: str
) -> None:
    files = {name: content for name, content in {**FILES, **changes}.items() if content is not None}
    for path in (archive(tmp_path / "cifar.tar.gz", files), folder(tmp_path / "cifar", files)):
        with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
            load(path)


@pytest.mark.parametrize("make", [archive, folder])
def test_the_pickled_version_is_never_opened(tmp_path: Path, make: object, language: str) -> None:
    files = {"data_batch_1": b"cos\nsystem\n(S'false'\ntR.", "test_batch": b"", "batches.meta": b""}
    path = make(tmp_path / "cifar-10-python.tar.gz", files)  # type: ignore[operator]
    words = {"en": r"a pickle.*Give the binary version", "zh": r"pickle.*请使用二进制版"}
    with pytest.raises(UserError, match=words[language]):
        load(path)


def test_an_archive_cut_off_is_refused(tmp_path: Path, language: str) -> None:
    path = archive(tmp_path / "cifar.tar.gz", FILES)
    path.write_bytes(path.read_bytes()[:-30_000])
    with pytest.raises(UserError, match={"en": "cut off or damaged", "zh": "压缩包不完整"}[language]):
        load(path)


def test_the_real_subset_loads_by_path_and_by_name(data_root: Path) -> None:
    path = data_root / "cifar-10-binary-subset.tar.gz"
    data = load(path, test=0)
    assert data.sizes == {"train": 9000, "validation": 1000, "test": 3000}
    assert data.facts()["mean"] == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.01)
    named = load("cifar10", root=str(data_root))
    assert (named.fingerprint(), named.facts()["path"]) == (data.fingerprint(), str(path))
