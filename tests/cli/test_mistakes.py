"""Mistakes in what is typed, and in the files named there: one message each, in both languages, nothing left behind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from command_line import SOFTMAX, TABLE, Type, assert_refused, snapshot

ON_TABLE = (*SOFTMAX, "data.target=y", "--data")


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
        ("fit", "train.batch_size=0"),
        ("train.batch_size is 0", "at least 1"),
        ("train.batch_size 的值是 0", "不小于 1"),
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
        ("t.csv", "--target y", "a, b, y"),
        ("t.csv", "--target y", "a, b, y"),
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
        (*ON_TABLE, "t.csv"), ("t.csv", '"y"', "line 62"), ("t.csv", '"y"', "第 62 行"), {"t.csv": NAN}
    ),
    "feature-infinite": Mistake(
        (*ON_TABLE, "t.csv"), ("t.csv", '"a"', "line 62"), ("t.csv", '"a"', "第 62 行"), {"t.csv": INFINITE}
    ),
    "net-for-pictures": Mistake(
        ("fit", "lenet5", "t.csv", "--target", "y"), ("lenet5", "images"), ("lenet5", "图像"), {"t.csv": TABLE}
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
    "folder-a-file": Mistake(
        ("fit", "--folder", "mine"), ("mine: this is a file",), ("mine：这是一个文件",), {"mine": ""}
    ),
    "no-weights": Mistake(("fit", "net.weights=w.pth"), ("w.pth", "no such"), ("w.pth", "找不到")),
    "weights-of-another-kind": Mistake(("fit", "net.weights=w.h5"), ("w.h5", ".pt"), ("w.h5", ".pt"), {"w.h5": "a"}),
    "no-such-root": Mistake(
        ("fit", "--data", "mnist", "--data.root", "gone"), ("gone", "data.root"), ("gone", "data.root")
    ),
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
        ("fit", "--epochs", "3"),
        ("--epochs 3", "danlu fit … train.epochs=3"),
        ("--epochs 3", "danlu fit … train.epochs=3"),
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
    "neither-recipe-nor-data": Mistake(
        ("fit", "digts"), ("digts is no recipe", '"digits"'), ("digts 既不是配方", '"digits"')
    ),
    "data-as-command": Mistake(("t.csv",), ("danlu fit t.csv",), ("danlu fit t.csv",), {"t.csv": TABLE}),
    "file-misspelt": Mistake(
        ("fit", "sub/tabel.cvs"),
        ("sub/tabel.cvs", '"table.csv"'),
        ("sub/tabel.cvs", '"table.csv"'),
        {"sub/table.csv": TABLE},
    ),
    "target-in-other-capitals": Mistake(
        ("fit", "t.csv", "--target", "Y"), ('"Y"', 'Did you mean "y"?'), ('"Y"', '您是不是想写 "y"？'), {"t.csv": TABLE}
    ),
    "only-other-level-misspelt": Mistake(
        ("compare", "--net", "mlp", "--vary", "net.activation=relu,sigmod"), ('"sigmoid"',), ('"sigmoid"',)
    ),
    "header-denied": Mistake(
        (*ON_TABLE[:-2], "data.target=-1", "data.header=false", "--data", "t.csv"),
        ("t.csv", "a, b, y", "data.header"),
        ("t.csv", "a, b, y", "data.header"),
        {"t.csv": TABLE},
    ),
    "folder-of-nothing": Mistake(
        ("fit", "sub"), ("sub: this folder is no data set",), ("sub：这个文件夹不是数据集",), {"sub/notes.md": "x"}
    ),
    "output-of-a-picture": Mistake(("draw", "mlp", "--output", "m.png"), ('"--file"',), ('"--file"',)),
    "output-of-a-report": Mistake(("report", "runs/a", "--file", "r.html"), ('"--out"',), ('"--out"',)),
    "two-data-sets": Mistake(("fit", "iris", "--data", "wine"), ("iris, wine",), ("iris, wine",)),
    "two-nets": Mistake(("fit", "mlp", "--net", "lenet5"), ("mlp, lenet5",), ("mlp, lenet5",)),
    "likely-target": Mistake(("fit", "t.csv"), ("--target y", "a, b, y"), ("--target y", "a, b, y"), {"t.csv": TABLE}),
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
    "rules-misspelt": Mistake(("rules", "dead-rely"), ("dead-rely", '"dead-relu"'), ("dead-rely", '"dead-relu"')),
    "rules-two": Mistake(("rules", "a", "b"), ("one name", "b"), ("一个名字", "b")),
    "data-unknown": Mistake(
        ("data", "nope"), ('"nope"', "digits, digit-masks, mnist"), ('"nope"', "digits, digit-masks, mnist")
    ),
    "data-with-settings-of-a-training": Mistake(
        ("data", "digits", "train.epochs=2"), ("train.epochs=2", "section data"), ("train.epochs=2", "data 这一节")
    ),
    "floor-above-the-rate": Mistake(
        ("fit", "schedule.floor=1.5"), ("schedule.floor is 1.5", "at most 1"), ("schedule.floor 的值是 1.5", "不大于 1")
    ),
    "data-two": Mistake(("data", "digits", "mnist"), ("one name", "mnist"), ("一个名字", "mnist")),
}


@pytest.mark.every(2)
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
