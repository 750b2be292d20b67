"""`danlu export`, and `danlu check` and `danlu predict` of what it wrote, in both languages, and what is refused."""

import importlib.util
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import danlu
from command_line import Type, assert_refused, snapshot

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def _size(row: int) -> str:
    return "big" if row % 9 > 4 else "small"


def _number(row: int) -> str:
    return "" if row % 11 == 0 else str(row % 9)


TRAIN = "size,kind,late,y\n" + "".join(
    f"{_number(row)},{'abc'[row % 3]},2024-01-{1 + row % 28:02d},{_size(row)}\n" for row in range(120)
)
QUIET: dict[str, Any] = {"progress": False, "watch": False}
KINDS = ("model.onnx", "model.pt2", "model")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in `run`, its table in `table.csv`, and the run's exports of every kind."""
    place = tmp_path_factory.mktemp("exporting")
    (place / "table.csv").write_text(TRAIN, encoding="utf-8")
    run = danlu.fit("mlp", place / "table.csv", target="y", folder=place / "run", epochs=8, lr=0.1, hidden=[8], **QUIET)
    for name in KINDS:
        run.export(place / name)
    return place


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_answers_as_the_run(name: str, type_in: Type, place: Path, work: Path) -> None:
    for path in (place / name, place / "run"):
        assert type_in("predict", path, place / "table.csv", "--output", f"{path.name}.csv", "--top", "2").code == 0
    ours, theirs = ((work / f"{one}.csv").read_text(encoding="utf-8").splitlines() for one in (name, "run"))
    for one, other in zip(ours, theirs, strict=True):
        found, wanted = one.split(","), other.split(",")
        assert [found[at] for at in (0, 1, 2, 4)] == [wanted[at] for at in (0, 1, 2, 4)]
        if one != ours[0]:
            assert float(found[3]) == pytest.approx(float(wanted[3]), abs=1e-5)


@pytest.mark.every(3)
@pytest.mark.parametrize("name", KINDS)
def test_scores_and_notes_are_those_of_the_run(name: str, type_in: Type, place: Path, work: Path) -> None:
    rows = "size,kind,late,y\n8,a,2024-01-03,big\n1,z,2024-02-01,small\n,b,,\n"
    (work / "new.csv").write_text(rows, encoding="utf-8")
    ours = type_in("predict", place / name, "new.csv", "--json").json
    theirs = type_in("predict", place / "run", "new.csv", "--json").json
    assert ours["score"] == pytest.approx(theirs["score"])
    assert (ours["samples"], ours["left_out"]) == (theirs["samples"], theirs["left_out"]) == (2, 1)
    assert [row.get("note") for row in ours["rows"]] == [row.get("note") for row in theirs["rows"]]


@pytest.mark.slow
def test_an_export_is_told_as_one_object(type_in: Type, place: Path, work: Path) -> None:
    answer = type_in("export", place / "run", "new.onnx", "--json")
    assert answer.code == 0
    assert answer.err == ""
    told = answer.json
    assert told["bytes"] == (work / "new.onnx").stat().st_size
    assert told["proof"]["of"] == "test"
    assert told["proof"]["samples"] == 24
    assert told["proof"]["labels_differing"] == 0
    assert told["proof"]["max_delta"] <= 1e-5
    assert told["proof"]["score"] == pytest.approx(
        {name: value for name, value in danlu.Run(place / "run").score["test"].items() if name != "loss"}
    )


@pytest.mark.every(2)
def test_what_was_proved_is_said(type_in: Type, place: Path, work: Path, language: str) -> None:
    answer = type_in("export", place / "run", "new.onnx", "--raw", "--lang", language)
    assert answer.code == 0
    assert "24" in answer.out
    assert ("测试集" in answer.out) == (language == "zh")
    checked = type_in("check", "new.onnx", "--lang", language)
    assert checked.code == 0
    assert ("校验样本" in checked.out) == (language == "zh")


@pytest.mark.parametrize("name", KINDS)
def test_a_check_is_told_as_one_object(name: str, type_in: Type, place: Path) -> None:
    told = type_in("check", place / name, "--json").json
    assert told["passed"] is True
    assert told["weights_unchanged"] is True
    assert told["samples"] == 8


def test_a_changed_file_fails_its_check(type_in: Type, place: Path, work: Path, language: str) -> None:
    import numpy
    import safetensors.numpy

    shutil.copytree(place / "model", work / "changed")
    weights = safetensors.numpy.load_file(work / "changed" / "model.safetensors")
    weights = {name: numpy.ascontiguousarray(values[::-1]) for name, values in weights.items()}
    safetensors.numpy.save_file(weights, work / "changed" / "model.safetensors")
    answer = type_in("check", "changed", "--lang", language)
    assert answer.code == 1
    assert "SHA-256" in answer.out


def no_folder(work: Path) -> Path:
    (work / "locked").mkdir(mode=stat.S_IRUSR | stat.S_IXUSR)
    return work / "locked" / "model.onnx"


@pytest.mark.parametrize(
    ("target", "words"),
    [("model.tflite", (".onnx", ".pt2")), ("there.onnx", ("there.onnx",)), ("folder", ("folder",))],
)
def test_a_name_that_cannot_be_written_is_refused(
    target: str, words: tuple[str, ...], type_in: Type, place: Path, work: Path, language: str
) -> None:
    (work / "there.onnx").write_text("mine", encoding="utf-8")
    (work / "folder").mkdir()
    before = snapshot(work)
    assert_refused(type_in("export", place / "run", target, "--lang", language), language, *words)
    assert snapshot(work) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever may do everything may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(type_in: Type, place: Path, work: Path, language: str) -> None:
    answer = type_in("export", place / "run", no_folder(work), "--lang", language)
    assert_refused(answer, language, "locked")


def test_two_names_are_wanted(type_in: Type, place: Path, language: str) -> None:
    assert_refused(type_in("export", place / "run", "--lang", language), language, "danlu export")


def test_a_run_that_has_not_finished_is_refused(type_in: Type, place: Path, work: Path, language: str) -> None:
    shutil.copytree(place / "run", work / "half")
    journal = work / "half" / "journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines()
    journal.write_text("\n".join(lines[: len(lines) // 3]) + "\n", encoding="utf-8")
    assert_refused(type_in("export", "half", "new.onnx", "--lang", language), language, "danlu resume")
    assert not (work / "new.onnx").exists()


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime", "onnxscript"])
def test_without_the_extra_it_is_said_what_to_install(
    missing: str, type_in: Type, place: Path, work: Path, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else before(name))
    answer = type_in("export", place / "run", "new.onnx", "--lang", language)
    assert_refused(answer, language, missing, "pip install 'danlu[export]'")
    assert list(work.iterdir()) == []


@pytest.mark.slow
def test_without_the_data_the_golden_samples_prove_and_that_is_said(
    type_in: Type, place: Path, work: Path, language: str
) -> None:
    shutil.copytree(place / "run", work / "alone")
    table = place / "table.csv"
    table.rename(place / "gone.csv")
    try:
        answer = type_in("export", "alone", "alone.onnx", "--lang", language)
    finally:
        (place / "gone.csv").rename(table)
    assert answer.code == 0
    assert ("校验样本" if language == "zh" else "golden samples of the run only") in answer.out
    assert type_in("check", "alone.onnx").code == 0


def test_all_of_the_package_is_in_the_metadata(place: Path) -> None:
    import json

    from danlu.ship.export import open_exported

    package = json.loads((place / "run" / "package.json").read_text(encoding="utf-8"))
    for name in KINDS:
        told = open_exported(place / name).metadata
        assert told["preprocessing"] == package["preprocessing"]
        assert told["package"] == {key: value for key, value in package.items() if key != "preprocessing"}
        assert told["scores"]["test"]["n"] == 24
        assert told["recipe"]["optim"]["lr"] == 0.1


def test_a_net_given_as_an_object_is_no_folder(place: Path, work: Path) -> None:
    from torch import nn

    net = nn.Sequential(nn.Linear(5, 4), nn.Dropout(0.5), nn.Linear(4, 2))
    data = danlu.load(([[float(row * at % 7) for at in range(1, 6)] for row in range(60)], [0, 1] * 30))
    run = danlu.fit(net, data, folder=work / "own", epochs=1, **QUIET)
    with pytest.raises(danlu.UserError, match="cannot be exported as a folder"):
        run.export(work / "folder")
    assert run.export(work / "own.onnx").of == "test"
    assert sorted(file.name for file in work.iterdir()) == ["own", "own.onnx"]


PROGRAM = """
import sys
from danlu.cli.main import main
code = main()
print(code, *(name for name in sys.modules if name.partition(".")[0] == "torch"), file=sys.stderr)
"""


@pytest.mark.every(2)
@pytest.mark.parametrize("words", [("predict", "model.onnx", "table.csv", "--json"), ("check", "model.onnx", "--json")])
def test_an_onnx_file_is_asked_without_torch(words: tuple[str, ...], place: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "0"


@pytest.mark.slow
def test_torch_says_nothing_while_it_exports(place: Path, work: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, "export", str(place / "run"), "quiet.onnx", "--lang", "en"]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 2
    assert len(done.stderr.splitlines()) == 1
