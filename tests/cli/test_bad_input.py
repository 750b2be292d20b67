"""Whatever is wrong with what was typed or given: one message a fault, in both languages, and nothing left behind."""

import errno
import gzip
import json
import os
import pickle
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.torch
import torch
from conftest import Answer, Type
from torch import nn

import danlu
from danlu.base.words import use_language
from danlu.store.journal import Journal
from danlu.train.checkpoint import load_newest

CHINESE = re.compile(r"[\u3400-\u9fff]")
TABLE = "a,b,y\n" + "".join(f"{row % 7},{row % 5},{row % 2}\n" for row in range(60))
SOFTMAX = ("fit", "--net", "softmax-regression")
ON_TABLE = (*SOFTMAX, "data.target=y", "--data")


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def assert_refused(answer: Answer, language: str, *words: str) -> str:
    """Exit code 2, nothing on standard output, and one message with all of `words` in it, in the language asked for."""
    assert answer.code == 2
    assert answer.out == ""
    assert "Traceback" not in answer.err
    (fault,) = answer.faults
    assert answer.err == f"✖ {fault}\n"
    for word in words:
        assert word in fault
    assert bool(CHINESE.search(fault.replace("炉", ""))) == (language == "zh")
    return fault


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


@dataclass(frozen=True)
class Mistake:
    """What is typed, the files it needs, and what the message must name in English and in Chinese."""

    typed: Sequence[str]
    english: Sequence[str]
    chinese: Sequence[str]
    files: dict[str, str] = field(default_factory=dict[str, str])


NAN, INFINITE = TABLE + "3,4,\n", TABLE + "inf,4,1\n"
CONSTANT = TABLE.replace(",0\n", ",1\n")

MISTAKES = {
    "unknown-key": Mistake(
        ("fit", "optim.lrr=0.1"),
        ("command line", "optim.lrr", 'Did you mean "optim.lr"?'),
        ("命令行", "optim.lrr", '您是不是想写 "optim.lr"？'),
    ),
    "key-of-another-section": Mistake(("fit", "train.lr=0.1"), ("train.lr", '"optim.lr"'), ("train.lr", '"optim.lr"')),
    "unknown-key-in-a-file": Mistake(
        ("fit", "r.toml"),
        ("r.toml, line 2", "train.epoch", '"train.epochs"'),
        ("r.toml 第 2 行", "train.epoch", '"train.epochs"'),
        {"r.toml": "[train]\nepoch = 3\n"},
    ),
    "rate-no-number": Mistake(
        ("fit", "optim.lr=abc"), ("optim.lr is 'abc'", "a number"), ("optim.lr 的值是 'abc'", "数字")
    ),
    "rate-negative": Mistake(
        ("fit", "optim.lr=-0.1"), ("optim.lr is -0.1", "above 0"), ("optim.lr 的值是 -0.1", "大于 0")
    ),
    "rate-nan": Mistake(("fit", "optim.lr=nan"), ("optim.lr is nan", "finite"), ("optim.lr 的值是 nan", "有限的数")),
    "no-batch": Mistake(
        ("fit", "train.batch_size=0"), ("train.batch_size is 0", "at least 1"), ("train.batch_size 的值是 0", "不小于 1")
    ),
    "batch-larger-than-data": Mistake(
        ("fit", "train.batch_size=2000"),
        ("train.batch_size is 2,000", "1,258 samples"),
        ("train.batch_size 等于 2,000", "1,258 个"),
    ),
    "batches-larger-than-data": Mistake(
        ("fit", "train.batch_size=500", "train.accumulate=4"),
        ("train.batch_size × train.accumulate is 2,000", "1,258"),
        ("train.batch_size × train.accumulate 等于 2,000", "1,258"),
    ),
    "no-such-recipe": Mistake(("fit", "mine.toml"), ("mine.toml: there is no such",), ("mine.toml：找不到",)),
    "no-such-data": Mistake(
        ("fit", "--data", "trian.csv"),
        ("trian.csv: there is no such file", '"train.csv"'),
        ("trian.csv：找不到", '"train.csv"'),
        {"train.csv": TABLE},
    ),
    "empty-table": Mistake((*ON_TABLE, "t.csv"), ("t.csv", "empty"), ("t.csv", "空的"), {"t.csv": ""}),
    "table-of-names-only": Mistake(
        (*ON_TABLE, "t.csv"), ("t.csv", "no row"), ("t.csv", "没有数据行"), {"t.csv": "a,b,y\n"}
    ),
    "ragged-table": Mistake(
        (*ON_TABLE, "t.csv"),
        ("t.csv, line 3", "2 fields", "3 columns"),
        ("t.csv 第 3 行", "2 个字段", "3 个列名"),
        {"t.csv": "a,b,y\n1,2,0\n1,2\n1,2,1\n"},
    ),
    "no-target": Mistake(
        (*SOFTMAX, "--data", "t.csv"),
        ("t.csv", "data.target=", "a, b, y"),
        ("t.csv", "data.target=", "a, b, y"),
        {"t.csv": TABLE},
    ),
    "target-missing": Mistake(
        (*SOFTMAX, "--data", "t.csv", "data.target=z"),
        ("t.csv", '"z"', "a, b, y"),
        ("t.csv", '"z"', "a, b, y"),
        {"t.csv": TABLE},
    ),
    "target-constant": Mistake(
        (*ON_TABLE, "t.csv"), ("t.csv", '"y"', "is 1"), ("t.csv", '"y"', "全都是 1"), {"t.csv": CONSTANT}
    ),
    "target-with-gaps": Mistake(
        (*ON_TABLE, "t.csv"), ("t.csv", '"y"', "row 61"), ("t.csv", '"y"', "第 61 行"), {"t.csv": NAN}
    ),
    "feature-infinite": Mistake(
        (*ON_TABLE, "t.csv"), ("t.csv", '"a"', "row 61"), ("t.csv", '"a"', "第 61 行"), {"t.csv": INFINITE}
    ),
    "net-for-pictures": Mistake(
        ("fit", "--data", "t.csv", "data.target=y"), ("lenet5", "pictures"), ("lenet5", "图像"), {"t.csv": TABLE}
    ),
    "target-without-table": Mistake(
        ("fit", "data.target=y"), ("data.target", "digits", "--data FILE.csv"), ("data.target", "digits", "--data")
    ),
    "two-sources": Mistake(
        ("fit", "--data", "t.csv", "data.name=digits"),
        ('data.name = "digits"', 'data.path = "t.csv"'),
        ('data.name = "digits"', 'data.path = "t.csv"'),
        {"t.csv": TABLE},
    ),
    "unknown-net": Mistake(
        ("fit", "--net", "lenet6"), ('"lenet6"', 'Did you mean "lenet5"?'), ('"lenet6"', '您是不是想写 "lenet5"？')
    ),
    "unknown-data": Mistake(
        ("fit", "--data", "digit"), ('"digit"', 'Did you mean "digits"?'), ('"digit"', '您是不是想写 "digits"？')
    ),
    "unknown-option-of-the-net": Mistake(
        ("fit", "--net", "mlp", "net.hiden=3"), ("net.hiden", '"hidden"'), ("net.hiden", '"hidden"')
    ),
    "no-run": Mistake(
        ("resume", "here"), ("here", "recipe.toml, journal.jsonl"), ("here", "recipe.toml"), {"here/a.txt": "a"}
    ),
    "no-run-to-show": Mistake(("show", "here"), ("here", "recipe.toml"), ("here", "缺少"), {"here/a.txt": "a"}),
    "no-such-run": Mistake(("resume", "there"), ("there: there is no such run",), ("there：找不到",)),
    "recipe-no-toml": Mistake(
        ("fit", "r.toml"), ("r.toml", "not TOML", "line 2"), ("r.toml", "TOML", "line 2"), {"r.toml": "[optim]\nlr 1\n"}
    ),
    "name-with-a-path": Mistake(("fit", "--name", "../x"), ("'../x' holds /",), ("'../x' 含有 /",)),
    "folder-and-name": Mistake(("fit", "--name", "x", "--folder", "y"), ("(y)", "(x)"), ("（y）", "（x）")),
    "folder-not-empty": Mistake(("fit", "--folder", "mine"), ("mine", "not empty"), ("mine", "不为空"), {"mine/a": ""}),
    "folder-a-file": Mistake(("fit", "--folder", "mine"), ("mine: is a file",), ("mine：这是一个文件",), {"mine": ""}),
    "no-weights": Mistake(("fit", "net.weights=w.pth"), ("w.pth", "no such"), ("w.pth", "找不到")),
    "weights-of-another-kind": Mistake(("fit", "net.weights=w.h5"), ("w.h5", ".pt"), ("w.h5", ".pt"), {"w.h5": "a"}),
    "no-such-root": Mistake(("fit", "--data.root", "gone"), ("gone", "data.root"), ("gone", "data.root")),
    "shares-too-large": Mistake(
        ("fit", "data.validation=0.6", "data.test=0.5"), ("0.6", "0.5", "below 1"), ("0.6", "0.5", "小于 1")
    ),
    "patience-without-validation": Mistake(
        ("fit", "train.patience=3", "data.validation=0"),
        ("train.patience", "data.validation"),
        ("train.patience", "data.validation"),
    ),
    "unknown-loss": Mistake(("fit", "loss.name=cross_entrop"), ("cross_entrop", '"cross-entropy"'), ("cross-entropy",)),
    "unknown-optimiser": Mistake(("fit", "optim.name=adm"), ("adm", '"adam"'), ("adm", '"adam"')),
    "unknown-schedule": Mistake(("fit", "schedule.name=cosin"), ("cosin", '"cosine"'), ("cosin", '"cosine"')),
    # What newcomers type.
    "verb-misspelt": Mistake(("fitt",), ('"fitt"', 'Did you mean "fit"?'), ('"fitt"', '您是不是想写 "fit"？')),
    "option-without-value": Mistake(("fit", "--data"), ("--data needs a value",), ("--data 后面要写一个值",)),
    "setting-without-value": Mistake(("fit", "--optim.lr"), ("--optim.lr needs",), ("--optim.lr 后面要写",)),
    "switch-with-value": Mistake(("fit", "--json=1"), ("--json takes no value",), ("--json 后面不能写值",)),
    "option-misspelt": Mistake(("fit", "--nett", "mlp"), ("--nett", '"--net"'), ("--nett", '"--net"')),
    "setting-as-option": Mistake(
        ("fit", "--epochs", "3"), ("--epochs", "write train.epochs=3."), ("--epochs", "写成 train.epochs=3。")
    ),
    "setting-as-option-with-equals": Mistake(
        ("fit", "--batch-size=4"), ("--batch-size", "train.batch_size=4."), ("--batch-size", "train.batch_size=4。")
    ),
    "setting-without-section": Mistake(("fit", "epochs=3"), ("epochs", "train.epochs"), ("epochs", "train.epochs")),
    "option-of-the-net-without-section": Mistake(
        ("fit", "activation=tanh"), ("activation", "net.activation."), ("activation", "net.activation。")
    ),
    "misspelt-without-section": Mistake(("fit", "epoch=3"), ("epoch", '"train.epochs"'), ("epoch", '"train.epochs"')),
    "setting-with-a-space": Mistake(("fit", "train.epochs", "3"), ("train.epochs=3",), ("train.epochs=3",)),
    "data-for-a-recipe": Mistake(("fit", "mnist"), ("danlu fit --data mnist",), ("danlu fit --data mnist",)),
    "net-for-a-recipe": Mistake(("fit", "lenet5"), ("danlu fit --net lenet5",), ("danlu fit --net lenet5",)),
    "table-for-a-recipe": Mistake(("fit", "t.csv"), ("--data t.csv",), ("--data t.csv",), {"t.csv": TABLE}),
    "two-recipes": Mistake(("fit", "a.toml", "b.toml"), ("a.toml, b.toml",), ("a.toml, b.toml",)),
    "resume-what": Mistake(("resume",), ("Which run?", "danlu resume RUN"), ("danlu resume RUN",)),
    "resume-two": Mistake(("resume", "a", "b"), ("one name", "b"), ("一个名字", "b")),
    "resume-with-settings": Mistake(
        ("resume", "a", "train.epochs=9"),
        ("danlu fit a/recipe.toml train.epochs=9",),
        ("danlu fit a/recipe.toml train.epochs=9",),
    ),
    "nothing-to-show": Mistake(("show",), ("runs", "danlu fit"), ("runs", "danlu fit")),
    "nets-misspelt": Mistake(("nets", "lenet"), ('"lenet"', '"lenet5"'), ('"lenet"', '"lenet5"')),
    "nets-two": Mistake(("nets", "mlp", "lenet5"), ("one name", "lenet5"), ("一个名字", "lenet5")),
    "nets-with-settings": Mistake(("nets", "mlp", "net.hidden=3"), ("net.hidden=3",), ("net.hidden=3",)),
    "data-unknown": Mistake(("data", "nope"), ('"nope"', "digits, mnist"), ('"nope"', "digits, mnist")),
    "data-two": Mistake(("data", "digits", "mnist"), ("one name", "mnist"), ("一个名字", "mnist")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_message_in_either_language(name: str, language: str, work: Path, type_in: Type) -> None:
    mistake = MISTAKES[name]
    for path, text in mistake.files.items():
        (work / path).parent.mkdir(exist_ok=True)
        (work / path).write_text(text, encoding="utf-8")
    before = snapshot(work.parent)
    answer = type_in(*mistake.typed, "--lang", language)
    assert_refused(answer, language, *(mistake.english if language == "en" else mistake.chinese))
    assert snapshot(work.parent) == before


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
    last = "3 things to mend." if language == "en" else "共有 3 处需要修改。"
    assert answer.err.splitlines() == [*(f"✖ {fault}" for fault in answer.faults), last]


def test_an_unknown_language_is_told(type_in: Type) -> None:
    answer = type_in("--lang", "fr", "fit")
    assert_refused(answer, "en", '"fr"', "en, zh")
    assert_refused(type_in("fit", "--lang"), "en", "en, zh")


def test_a_device_that_is_not_there(
    language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert_refused(type_in("fit", "train.device=cuda", "--lang", language), language, "train.device = cuda", "cpu")
    assert not list(work.iterdir())


BREAK: dict[str, tuple[Callable[[Any], bytes], Sequence[str], Sequence[str]]] = {
    "cut-off": (
        lambda pictures: gzip.compress(idx(pictures))[:-200],
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
    answer = type_in("fit", "--data", "large", "--lang", language)
    assert_refused(answer, language, "lenet5", "32×32", "40×40")
    assert [path.name for path in work.iterdir()] == ["large"]


def test_data_that_no_mirror_gives(
    language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    safetensors.torch.save_file({"linear.weight": torch.zeros(3, 64), "linear.bias": torch.zeros(10)}, file)
    answer = type_in(*SOFTMAX, f"net.weights={file}", "--lang", language)
    assert_refused(answer, language, str(file), "linear.weight", "3×64", "10×64")
    assert [path.name for path in work.iterdir()] == ["w.safetensors"]


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


@pytest.mark.parametrize("moment", ["checkpoint", "journal"])
def test_a_disk_that_fills_up_keeps_what_was_saved(
    moment: str, language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert type_in(*SOFTMAX, *SMALL, "--folder", "whole").code == 0
    checkpoints = work / "broken" / "checkpoints"
    begun = {
        "checkpoint": lambda: (checkpoints / ".tmp-step-00000015").exists(),
        "journal": lambda: (checkpoints / "step-00000015").exists(),
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


def test_a_flipped_byte_costs_one_checkpoint(
    language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints = work / "broken" / "checkpoints"
    disk = FullDisk(lambda: (checkpoints / ".tmp-step-00000020").exists())
    with monkeypatch.context() as broken:
        broken.setattr(os, "write", disk)
        assert type_in(*SOFTMAX, *SMALL, "--folder", "broken").code == 2
    file = checkpoints / "step-00000015" / "weights.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    answer = type_in("resume", "broken", "--lang", language)
    assert answer.code == 0
    (told,) = [line for line in answer.err.splitlines() if line.startswith("! ")]
    assert "step-00000015" in told and str(file.relative_to(work)) in told
    assert bool(CHINESE.search(told)) == (language == "zh")
    resumed = next(json.loads(line) for line in (work / "broken" / "journal.jsonl").open() if '"resume"' in line)
    assert resumed["step"] == 10


def test_a_run_that_is_being_trained_is_not_resumed(language: str, work: Path, type_in: Type) -> None:
    assert type_in(*SOFTMAX, *SMALL, "--folder", "mine").code == 0
    journal = work / "mine" / "journal.jsonl"
    journal.write_text("".join(line for line in journal.open() if '"end"' not in line))
    before = snapshot(work)
    with Journal(journal):
        answer = type_in("resume", "mine", "--lang", language)
        assert type_in("show", "mine").code == 0
    assert_refused(answer, language, "mine: " if language == "en" else "mine：", "danlu show mine")
    assert snapshot(work) == before
    assert type_in("resume", "mine").code == 0


def test_a_resume_of_a_finished_run_says_so(language: str, work: Path, type_in: Type) -> None:
    assert type_in(*SOFTMAX, *SMALL, "--folder", "mine").code == 0
    before = snapshot(work)
    answer = type_in("resume", "mine", "--lang", language)
    assert answer.code == 0
    assert ("finished already" if language == "en" else "已经训练完了") in answer.out
    assert snapshot(work) == before
