"""Whatever is wrong with what was typed or given: one message a fault, in both languages, and nothing left behind."""

import errno
import gzip
import json
import os
import pickle
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.torch
import torch
from torch import nn

import danlu
from command_line import CHINESE, SOFTMAX, Type, assert_refused, snapshot
from danlu.base.words import use_language
from danlu.store.journal import Journal
from danlu.train.checkpoint import load_newest


def idx(array: Any, shape: Sequence[int] | None = None) -> bytes:
    """The bytes of an idx file, whose header may say another shape than the true one."""
    sizes = tuple(shape or array.shape)
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, 8, len(sizes), *sizes) + array.tobytes()


def write_pictures(folder: Path, side: int = 28) -> Path:
    """MNIST's four files, with 30 + 20 pictures of noise."""
    folder.mkdir()
    noise = numpy.random.default_rng(0)
    for stem, count in (("train", 30), ("t10k", 20)):
        pictures = noise.integers(0, 256, (count, side, side), dtype=numpy.uint8)
        labels = numpy.arange(count, dtype=numpy.uint8) % 10
        (folder / f"{stem}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pictures)))
        (folder / f"{stem}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    return folder


def test_with_json_the_message_is_an_object_too(language: str, work: Path, type_in: Type) -> None:
    answer = type_in("fit", "--json", "optim.lrr=1", "train.epochs=0", "--lang", language)
    assert answer.code == 2
    assert answer.json == {"error": answer.faults}
    assert len(answer.faults) == 2
    assert not list(work.iterdir())


def test_all_faults_are_told_at_once_with_their_count(language: str, work: Path, type_in: Type) -> None:
    (work / "r.toml").write_text('[optim]\nlr = "abc"\n[train]\nbatch_size = 0\n')
    answer = type_in("fit", "r.toml", "nett.name=mlp", "--lang", language)
    assert len(answer.faults) == 3
    last = "3 problems found." if language == "en" else "共有 3 处需要修改。"
    assert answer.err.splitlines() == [*(f"✖ {fault}" for fault in answer.faults), last]


def test_names_that_are_unknown_are_told_together(language: str, work: Path, type_in: Type) -> None:
    settings = ("optim.name=adm", "schedule.name=cosin", "loss.name=ms", "net.name=lenet6", "optim.lrr=1")
    answer = type_in("fit", *settings, "--lang", language)
    assert answer.code == 2
    assert len(answer.faults) == len(settings)
    assert all(any(word.partition("=")[2] in fault for fault in answer.faults) for word in settings[:4])
    settings = ("optim.name=adam", "optim.momentum=0.9", "train.device=cuda", "data.name=digit")
    answer = type_in("fit", *settings, "--lang", language)
    assert len(answer.faults) == (2 if torch.cuda.is_available() else 3)
    answer = type_in("fit", "train.batch_size=2000", "net.pool=max", "train.weights=best", "data.validation=0")
    assert len(answer.faults) == 3
    assert not list(work.iterdir())


def test_an_unknown_language_is_told(type_in: Type) -> None:
    answer = type_in("--lang", "fr", "fit")
    assert_refused(answer, "en", '"fr"', "en, zh")
    assert_refused(type_in("fit", "--lang"), "en", "en, zh")


def test_a_device_that_is_not_there(language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert_refused(type_in("fit", "train.device=cuda", "--lang", language), language, "train.device = cuda", "cpu")
    assert not list(work.iterdir())


BREAK: dict[str, tuple[Callable[[Any], bytes], Sequence[str], Sequence[str]]] = {
    "cut-off": (
        lambda pictures: gzip.compress(idx(pictures))[:-20],
        ("gzip file is cut off or damaged",),
        ("gzip 文件不完整或已损坏",),
    ),
    "lying-header": (
        lambda pictures: gzip.compress(idx(pictures, (30, 28, 29))),
        ("30 × 28 × 29", "24360 bytes", "holds 23520"),
        ("30 × 28 × 29", "24360 字节", "23520 字节"),
    ),
    "header-of-terabytes": (
        lambda pictures: gzip.compress(idx(pictures, (4_000_000_000, 28, 28))),
        ("4000000000 × 28 × 28", "holds 23520"),
        ("4000000000 × 28 × 28", "23520"),
    ),
    "no-idx": (lambda pictures: gzip.compress(b"<html>" * 30), ("not an idx file",), ("不是无符号字节的 idx 文件",)),
}


@pytest.mark.parametrize("kind", BREAK)
def test_broken_idx_files(kind: str, language: str, work: Path, type_in: Type) -> None:
    damage, english, chinese = BREAK[kind]
    pictures = numpy.zeros((30, 28, 28), dtype=numpy.uint8)
    file = write_pictures(work / "mnist") / "train-images-idx3-ubyte.gz"
    file.write_bytes(damage(pictures))
    before = snapshot(work.parent)
    answer = type_in("fit", "--data", "mnist", "--data.root", work, "--lang", language)
    assert_refused(answer, language, str(file), *(english if language == "en" else chinese))
    assert snapshot(work.parent) == before


def test_pictures_of_the_wrong_size(language: str, work: Path, type_in: Type) -> None:
    write_pictures(work / "large", side=40)
    answer = type_in("fit", "--data", "large", "--net", "lenet5", "--lang", language)
    assert_refused(answer, language, "lenet5", "32×32", "40×40")
    assert [path.name for path in work.iterdir()] == ["large"]


def test_data_that_no_mirror_gives(language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr("danlu.data.fetch.download", unreachable)
    answer = type_in("fit", "--data", "mnist", "--lang", language)
    assert answer.code == 2
    (fault,) = answer.faults
    assert "train-images-idx3-ubyte.gz" in fault and "DANLU_DATA" in fault and "data.root" in fault
    assert bool(CHINESE.search(fault)) == (language == "zh")
    assert not list(work.parent.rglob("*-ubyte*")) and not list(work.iterdir())


class Payload:
    """Makes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_for_weights_is_refused_and_never_run(kind: str, language: str, work: Path, type_in: Type) -> None:
    file, payload = work / "evil.pth", Payload(work / "ran")
    if kind == "pickle":
        file.write_bytes(pickle.dumps(payload))
    else:
        torch.save({"layer.weight": payload}, file)
    answer = type_in("fit", f"net.weights={file}", "--lang", language)
    assert_refused(answer, language, str(file), "safetensors.torch.save_file")
    assert [path.name for path in work.iterdir()] == ["evil.pth"]
    with file.open("rb") as opened:
        opened.seek(0)
        assert b"mkdir" in opened.read(), "the payload is there to be run"


def test_weights_of_another_shape(language: str, work: Path, type_in: Type) -> None:
    file = work / "w.safetensors"
    safetensors.torch.save_file({"linear.weight": torch.zeros(10, 63), "linear.bias": torch.zeros(10)}, file)
    answer = type_in(*SOFTMAX, f"net.weights={file}", "--lang", language)
    assert answer.code == 2
    assert answer.out == ""
    assert str(file) in answer.faults[0]
    assert all(word in answer.err for word in ("linear.weight", "10×63", "10×64"))
    assert [path.name for path in work.iterdir()] == ["w.safetensors"]


@pytest.mark.every(2)
def test_a_head_for_other_classes_starts_anew_and_is_told(language: str, work: Path, type_in: Type) -> None:
    file = work / "w.safetensors"
    safetensors.torch.save_file({"linear.weight": torch.zeros(3, 64), "linear.bias": torch.zeros(3)}, file)
    answer = type_in(*SOFTMAX, *SMALL, f"net.weights={file}", "--lang", language)
    assert answer.code == 0
    (told,) = [line for line in answer.err.splitlines() if line.startswith("! ")]
    assert "linear" in told
    assert "10" in told and "3" in told
    assert bool(CHINESE.search(told)) == (language == "zh")


def test_a_net_whose_outputs_do_not_fit_the_classes(language: str, work: Path) -> None:
    use_language(language)
    words = "7 numbers.*10 classes" if language == "en" else "输出 7 个数.*10 个类别"
    with pytest.raises(danlu.UserError, match=words):
        danlu.fit(nn.Sequential(nn.Flatten(), nn.Linear(64, 7)), "digits", progress=False)
    assert not list(work.iterdir())


def test_samples_that_are_not_finite(language: str, work: Path) -> None:
    use_language(language)
    x, y = torch.rand(50, 3), torch.arange(50) % 2
    x[17, 1] = float("nan")
    words = r"row 18, column 2" if language == "en" else "第 18 行第 2 列"
    with pytest.raises(danlu.UserError, match=words):
        danlu.fit("softmax-regression", (x, y), progress=False)
    assert not list(work.iterdir())


def test_a_run_by_its_name_alone_and_the_folder_above(language: str, type_in: Type) -> None:
    assert type_in(*SOFTMAX, "train.epochs=1", "--name", "mine").code == 0
    assert_refused(type_in("show", "mine", "--lang", language), language, "mine", '"runs/mine"')
    assert_refused(type_in("show", "runs", "--lang", language), language, "runs", "recipe.toml", "mine")
    assert_refused(type_in("fit", "runs/mine", "--lang", language), language, "danlu fit runs/mine/recipe.toml")
    again = type_in("fit", "--name", "mine", "--lang", language)
    assert_refused(again, language, "runs/mine", "danlu resume")


def refuse(code: int) -> Callable[..., Any]:
    def refused(*_: Any, **__: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return refused


DISK = {errno.ENOSPC: ("the disk is full", "磁盘已满"), errno.EACCES: ("may not write", "没有写入权限")}


@pytest.mark.every(4)
@pytest.mark.parametrize("code", DISK)
@pytest.mark.parametrize("operation", ["mkdir", "write", "fsync", "replace"])
def test_a_disk_that_refuses_the_run_folder(
    operation: str, code: int, language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(os, operation, refuse(code))
        answer = type_in("fit", "--name", "mine", "--lang", language)
    assert_refused(answer, language, "runs", DISK[code][language == "zh"])
    assert not list(work.iterdir())


class FullDisk:
    """From the first write for which `begun` holds, no write succeeds any more."""

    def __init__(self, begun: Callable[[], bool]) -> None:
        self.full = False
        self._begun = begun
        self._write = os.write

    def __call__(self, descriptor: int, content: bytes) -> int:
        self.full = self.full or self._begun()
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return self._write(descriptor, content)


SMALL = ("train.epochs=2", "train.batch_size=100", "train.checkpoint_steps=5")


@pytest.mark.every(2)
@pytest.mark.parametrize("moment", ["checkpoint", "journal"])
def test_a_disk_that_fills_up_keeps_what_was_saved(
    moment: str, language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert type_in(*SOFTMAX, *SMALL, "--folder", "whole").code == 0
    checkpoints = work / "broken" / "checkpoints"
    begun = {
        "checkpoint": (checkpoints / ".tmp-step-00000015").exists,
        "journal": (checkpoints / "step-00000015").exists,
    }
    disk = FullDisk(begun[moment])
    with monkeypatch.context() as broken:
        broken.setattr(os, "write", disk)
        answer = type_in(*SOFTMAX, *SMALL, "--folder", "broken", "--json", "--lang", language)
    assert disk.full and answer.code == 2
    words = ("the disk is full", "danlu resume broken") if language == "en" else ("磁盘已满", "danlu resume broken")
    (fault,) = answer.faults
    assert all(word in fault for word in words) and "Traceback" not in answer.err
    assert answer.json == {"error": [fault]}
    newest = load_newest(checkpoints).checkpoint
    assert newest is not None and newest.step == (10 if moment == "checkpoint" else 15)

    assert type_in("resume", "broken").code == 0
    ends = [load_newest(work / folder / "checkpoints").checkpoint for folder in ("whole", "broken")]
    assert ends[0] is not None and ends[1] is not None
    for part, tensors in ends[0].parts.items():
        assert all(torch.equal(tensor, ends[1].parts[part][name]) for name, tensor in tensors.items())


@pytest.mark.every(2)
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["plain", "json"])
def test_a_flipped_byte_costs_one_checkpoint(
    more: tuple[str, ...], language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = work / "broken" / "checkpoints"
    disk = FullDisk((checkpoints / ".tmp-step-00000020").exists)
    with monkeypatch.context() as broken:
        broken.setattr(os, "write", disk)
        assert type_in(*SOFTMAX, *SMALL, "--folder", "broken").code == 2
    file = checkpoints / "step-00000015" / "weights.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    answer = type_in("resume", "broken", *more, "--lang", language)
    assert answer.code == 0
    (told,) = [line for line in answer.err.splitlines() if line.startswith("! ")]
    assert "step-00000015" in told and str(file.relative_to(work)) in told
    assert bool(CHINESE.search(told)) == (language == "zh")
    journal = (work / "broken" / "journal.jsonl").read_text().splitlines()
    resumed = next(json.loads(line) for line in journal if '"resume"' in line)
    assert resumed["step"] == 10


@pytest.mark.every(2)
def test_a_run_that_is_being_trained_is_not_resumed(language: str, work: Path, type_in: Type) -> None:
    assert type_in(*SOFTMAX, *SMALL, "--folder", "mine").code == 0
    journal = work / "mine" / "journal.jsonl"
    journal.write_text("".join(line for line in journal.read_text().splitlines(keepends=True) if '"end"' not in line))
    before = snapshot(work)
    with Journal(journal):
        answer = type_in("resume", "mine", "--lang", language)
        assert type_in("show", "mine").code == 0
    assert_refused(answer, language, "mine: " if language == "en" else "mine：", "danlu show mine")
    assert snapshot(work) == before
    assert type_in("resume", "mine").code == 0


@pytest.mark.every(2)
def test_a_resume_of_a_finished_run_says_so(language: str, work: Path, type_in: Type) -> None:
    assert type_in(*SOFTMAX, *SMALL, "--folder", "mine").code == 0
    before = snapshot(work)
    answer = type_in("resume", "mine", "--lang", language)
    assert answer.code == 0
    assert ("finished already" if language == "en" else "已经训练完了") in answer.out
    assert snapshot(work) == before
