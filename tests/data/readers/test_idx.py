"""idx files: the header is checked before it is believed."""

import gzip
import struct
from pathlib import Path

import numpy
import pytest
import torch

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.readers.idx import read_idx


def idx(array: numpy.ndarray, kind: int = 8, dims: tuple[int, ...] | None = None) -> bytes:
    dims = array.shape if dims is None else dims
    return bytes([0, 0, kind, len(dims)]) + struct.pack(f">{len(dims)}I", *dims) + array.astype(numpy.uint8).tobytes()


def write_folder(folder: Path, count: int = 20, zipped: bool = False, **changes: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    images = numpy.arange(count * 6).reshape(count, 2, 3) % 256
    files = {
        "train-images-idx3-ubyte": idx(images),
        "train-labels-idx1-ubyte": idx(numpy.arange(count) % 10),
        "t10k-images-idx3-ubyte": idx(images[:10]),
        "t10k-labels-idx1-ubyte": idx(numpy.arange(10)),
    }
    for stem, whole in files.items():
        content = changes.get(stem.split("-idx")[0].replace("-", "_"), whole)
        (folder / (f"{stem}.gz" if zipped else stem)).write_bytes(gzip.compress(content) if zipped else content)
    return folder


@pytest.mark.parametrize("zipped", [False, True])
def test_an_array_comes_back_as_it_was_written(tmp_path: Path, zipped: bool) -> None:
    array = numpy.random.default_rng(0).integers(0, 256, (7, 5, 4), dtype=numpy.uint8)
    path = tmp_path / "images"
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    assert numpy.array_equal(read_idx(path, 3), array)


@pytest.mark.parametrize("zipped", [False, True])
def test_the_four_files_make_a_data_set_that_keeps_its_test_part(tmp_path: Path, zipped: bool) -> None:
    data = load(write_folder(tmp_path / "ours", zipped=zipped), standardise=False)
    assert (data.name, data.sizes, data.sample_shape) == ("ours", {"train": 18, "validation": 2, "test": 10}, (1, 2, 3))
    x, y = next(data.batches("test", 10, device=torch.device("cpu")))
    assert y.tolist() == list(range(10))
    assert torch.equal((x * 255).round().flatten(), torch.arange(60.0))


BAD = [
    (b"", r"not an idx file .* begins with -", "不是无符号字节的 idx 文件"),
    (b"PK\3\4more", r"begins with 50 4b 03 04 and should begin with 00 00 08 03", "开头是 50 4b 03 04"),
    (idx(numpy.zeros((2, 2, 2)), kind=13), r"begins with 00 00 0d 03", "开头是 00 00 0d 03"),
    (idx(numpy.zeros(8)), r"says 1 dimensions; 3 are wanted", "1 维，这里需要 3 维"),
    (b"\0\0\x08\3\0\0", r"is cut off", "文件不完整"),
    (
        idx(numpy.zeros((2, 2, 2)), dims=(3, 2, 2)),
        r"says 3 × 2 × 2, which makes 12 bytes, but the file holds 8",
        "有 8 字节",
    ),
    (idx(numpy.zeros((2, 2, 2)), dims=(1, 2, 2)), r"makes 4 bytes, but the file holds > 4", "有 > 4 字节"),
    (idx(numpy.zeros((2, 2, 2)), dims=(2**32 - 1,) * 3), r"makes 79228162458924105385300197375 bytes", "文件头有误"),
    (gzip.compress(idx(numpy.zeros((2, 2, 2))), mtime=0)[:-9], r"cut off or damaged", "不完整或已损坏"),
    (gzip.compress(idx(numpy.zeros((9, 9, 9))), mtime=0)[:20], r"cut off or damaged", "不完整或已损坏"),
]


@pytest.mark.parametrize(("content", "english", "chinese"), BAD)
def test_files_that_lie_are_refused_by_name(
    tmp_path: Path, content: bytes, english: str, chinese: str, language: str
) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"images.*" + {"en": english, "zh": chinese}[language]):
        read_idx(path, 3)


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({"train_labels": idx(numpy.zeros(19))}, r"holds 20 images, but .* holds 19 labels", "有 20 张图像.*19 个标签"),
        (
            {"train_labels": idx(numpy.full(20, 11))},
            r"label number 1 is 11; labels must lie between 0 and 9",
            "第 1 个标签是 11",
        ),
        ({"t10k_images": idx(numpy.zeros((10, 3, 3)))}, r"differ in shape", "形状不一致"),
        (
            {"train_images": idx(numpy.zeros((0, 2, 3))), "train_labels": idx(numpy.zeros(0))},
            r"file is empty",
            "文件是空的",
        ),
    ],
)
def test_files_that_do_not_belong_together_are_refused(
    tmp_path: Path, changes: dict[str, bytes], english: str, chinese: str, language: str
) -> None:
    folder = write_folder(tmp_path / "ours", **changes)
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        load(folder)


def test_the_real_mnist(data_root: Path) -> None:
    data = load("mnist", root=str(data_root))
    assert data.sizes == {"train": 54000, "validation": 6000, "test": 10000}
    assert (data.sample_shape, data.outputs, data.decode(torch.tensor([7])).tolist()) == ((1, 28, 28), 10, [7])
    facts = data.facts()
    assert facts["mean"][0] == pytest.approx(0.1307, abs=5e-4)
    assert facts["std"][0] == pytest.approx(0.3081, abs=5e-4)
    assert sum(counts["test"] for counts in facts["classes"].values()) == 10000
    assert abs(facts["classes"]["5"]["validation"] - 542.1) <= 1


def test_the_real_fashion_mnist_is_not_mnist(data_root: Path) -> None:
    data = load("fashion-mnist", root=str(data_root))
    assert data.classes[9] == "Ankle boot"
    assert data.facts()["mean"][0] == pytest.approx(0.2860, abs=5e-4)
