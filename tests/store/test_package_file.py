"""package.json: what was written comes back bit for bit; what was not written by danlu is refused in one sentence."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest

from danlu.base.errors import UserError
from danlu.base.strict_json import to_json
from danlu.store.package_file import (
    GoldenSample,
    GoldenSamples,
    PackageFile,
    PackedFile,
    PartScore,
    RunAnswers,
    array_from_plain,
    array_to_plain,
    read_package_file,
)

TINY = numpy.nextafter(numpy.float32(0), numpy.float32(1))
ROW = {"a": None, "b": "Köln", "c": 2**60, "d": 0.1, "e": True}
PICTURE = numpy.arange(24, dtype=numpy.uint8).reshape(1, 4, 6)
ODD = numpy.array([numpy.nan, -0.0, 1e-320])
GOLDEN = [
    GoldenSamples("table", (GoldenSample(ROW, "yes", None, numpy.ones(2)),)),
    GoldenSamples("pictures", (GoldenSample(PICTURE, 3, numpy.array([0.1, 0.9]), numpy.array([TINY, numpy.inf])),)),
    GoldenSamples("numbers", (GoldenSample(ODD, [float("nan"), 2.5], None, numpy.zeros((2, 3), numpy.float32)),)),
    GoldenSamples("texts", (GoldenSample("a\x1b[31m\ufffd 你好", None, None, numpy.zeros(0)),)),
    GoldenSamples("series", (GoldenSample({"day": ["2024-01-01", None], "temp": [0.1, 2]}, 3.5, None, numpy.ones(1)),)),
    GoldenSamples("several", (GoldenSample({"left": ODD, "right": PICTURE}, "yes", None, numpy.ones(2)),)),
    GoldenSamples(missing="data.no-raw"),
]


def package(golden: GoldenSamples, task: str = "classification") -> PackageFile:
    answers = RunAnswers(
        task=task,
        decision="largest-logit",
        classes=("no", "yes\x1b[31m"),
        target={"mean": [1.5]},
        score={"test": PartScore(20, {"loss": float("nan"), "accuracy": 0.5})},
        recipe="abc",
        weights=PackedFile("checkpoints/step-00000001/weights.safetensors", "0" * 64, "weights"),
        versions={"danlu": "0.2"},
        golden=golden,
    )
    return PackageFile({"name": "it"}, {"sizes": {}}, answers)


@pytest.mark.parametrize("golden", GOLDEN)
def test_it_comes_back_bit_for_bit(golden: GoldenSamples, tmp_path: Path) -> None:
    task = "regression" if golden.kind == "numbers" else "classification"
    path = tmp_path / "package.json"
    written = package(golden, task)
    written.write(path)
    read = read_package_file(path)
    assert read is not None and read.encoded() == written.encoded()
    assert b"\x1b" not in path.read_bytes()
    assert read.answers is not None
    for one, other in zip(read.answers.golden.samples, golden.samples, strict=True):
        assert one.outputs.dtype == other.outputs.dtype and one.outputs.tobytes() == other.outputs.tobytes()
        if golden.kind == "several":
            assert all(numpy.array_equal(one.raw[name], other.raw[name], equal_nan=True) for name in other.raw)
            assert golden.raw()["right"].shape == (1, 1, 4, 6)
        else:
            assert numpy.array_equal(numpy.array(one.raw), numpy.array(other.raw), equal_nan=golden.kind == "numbers")


@pytest.mark.parametrize(
    "array",
    [numpy.zeros((0, 3)), numpy.array(5), numpy.array([True]), numpy.arange(6)[::-2], numpy.ones((2, 2), ">f4")],
)
def test_arrays_come_back(array: Any) -> None:
    again = array_from_plain(json.loads(to_json(array_to_plain(array))))
    assert again.dtype == array.dtype.newbyteorder("=") and numpy.array_equal(again, array)


def forged(change: Callable[[Any], Any]) -> bytes:
    """A package changed by somebody who knows how the checksum is made."""
    content = json.loads(package(GOLDEN[1]).encoded())
    del content["checksum"]
    change(content)
    return to_json({**content, "checksum": hashlib.sha256(to_json(content).encode()).hexdigest()[:32]}).encode()


def put(*keys: Any, value: Any) -> Callable[[Any], None]:
    def change(content: Any) -> None:
        for key in keys[:-1]:
            content = content[key]
        content[keys[-1]] = value

    return change


SAMPLE = ("answers", "golden", "samples", 0)
FORGED = [
    put("answers", "weights", "file", value="../../etc/passwd"),
    put("answers", "weights", "file", value="/etc/passwd"),
    put("answers", "weights", "file", value="C:\\weights"),
    put("answers", "weights", "file", value=""),
    put("answers", "weights", "file", value=7),
    put("answers", "weights", "sha256", value="no hash"),
    put("answers", "weights", value=None),
    put("answers", "program", value={"file": "a/../../b", "sha256": "0" * 64, "part": ""}),
    put("answers", "classes", value=[1, 2]),
    put("answers", "score", value={"test": {"samples": -1, "metrics": {}}}),
    put("answers", "score", value={"test": {"samples": 1, "metrics": {"loss": "much"}}}),
    put("answers", "golden", "form", value="pickle"),
    put(*SAMPLE, "outputs", "shape", value=[2**40, 2**40]),
    put(*SAMPLE, "outputs", "shape", value=[-1]),
    put(*SAMPLE, "outputs", "dtype", value="object"),
    put(*SAMPLE, "outputs", "base64", value="?"),
    put(*SAMPLE, "raw", value="a text"),
    put(*SAMPLE, "raw", value={"dtype": "uint8"}),
    put("answers", value=[]),
    put("answers", value={}),
]


@pytest.mark.parametrize("change", FORGED)
def test_a_forged_package_is_refused(change: Callable[[Any], Any], tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    path.write_bytes(forged(change))
    with pytest.raises(UserError, match="the file is damaged"):
        read_package_file(path)


def test_a_flipped_bit_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "package.json"
    whole = package(GOLDEN[0]).encoded()
    for place in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(UserError, match=r"the file is damaged|later version"):
            read_package_file(path)


def test_packages_of_the_first_schema_are_read(tmp_path: Path) -> None:
    content: dict[str, Any] = {"schema": 1, "preprocessing": {"name": "it"}, "data": {"sizes": {"train": 3}}}
    checksum = hashlib.sha256(to_json(content).encode()).hexdigest()[:32]
    path = tmp_path / "package.json"
    path.write_text(to_json({**content, "checksum": checksum}))
    assert read_package_file(path) == PackageFile({"name": "it"}, {"sizes": {"train": 3}})
    assert read_package_file(tmp_path / "none.json") is None


def test_files_are_those_that_were_packed(tmp_path: Path) -> None:
    (tmp_path / "net.bin").write_bytes(b"net")
    packed = PackedFile("net.bin", hashlib.sha256(b"net").hexdigest())
    assert packed.refuse_other(tmp_path) == b"net"
    with pytest.raises(UserError, match="SHA-256 differs"):
        replace(packed, sha256="0" * 64).refuse_other(tmp_path)
    (tmp_path / "net.bin").unlink()
    with pytest.raises(UserError, match=r"net\.bin cannot be read"):
        packed.refuse_other(tmp_path)
