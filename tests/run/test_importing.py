"""Logs of other programs as runs: they stand beside danlu's own, and what needs weights refuses them."""

import json
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.errors import UserError
from danlu.serve.index import Index
from danlu.store.run_folder import RunFolder
from danlu.view.info.run import run_info_of
from event_files import event, header, scalar

LIGHTNING = """\
epoch,step,train_loss_step,val_loss,lr-Adam,train_loss_epoch
0,9,2.0,,0.1,
0,19,1.5,,0.1,
0,19,,1.6,,
0,19,,,,1.75
1,29,1.0,,0.05,
1,39,0.9,,0.05,
1,39,,1.2,,
1,39,,,,0.95
"""
KERAS = "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.5,0.6,1.2\n1,0.8,0.9,0.7,1.0\n2,0.9,0.5,0.65,1.1\n"


def imported(path: Path, folder: Path) -> Any:
    (run,), _ = danlu.import_runs(path, folder=folder)
    return run


def test_lightnings_table(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(LIGHTNING)
    run = imported(tmp_path / "metrics.csv", tmp_path / "runs")
    frame = run.history
    assert frame["step"].to_list() == [9, 19, 29, 39] and frame["loss"].to_list() == [2.0, 1.5, 1.0, 0.9]
    assert frame["epoch"].to_list() == [1, 1, 2, 2] and frame["lr"].to_list() == [0.1, 0.1, 0.05, 0.05]
    assert frame["validation_loss"].to_list() == [None, 1.6, None, 1.2]
    assert frame["train_loss"].to_list() == [None, 1.75, None, 0.95]
    assert run.score == {"train": {"loss": 0.95}, "validation": {"loss": 1.2}} and run.finished


def test_keras_table_counts_epochs_from_one_and_notes_the_best(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(KERAS)
    run = imported(tmp_path / "log.csv", tmp_path / "runs")
    assert (run.epochs, run.steps, run.scored.best_epoch) == (3, 3, 2)
    assert run.score["validation"] == {"accuracy": 0.65, "loss": 1.1}
    told = [json.loads(line) for line in (run.folder / "journal.jsonl").read_text().splitlines()]
    assert [line["best"] for line in told if line["kind"] == "epoch"] == [True, True, False]


def test_event_files_of_several_trainings_and_keras_two_folders(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for name, tag, value in (
        ("a", "train/loss", 1.0),
        ("b/train", "epoch_loss", 2.0),
        ("b/validation", "epoch_loss", 3.0),
    ):
        (logs / name).mkdir(parents=True)
        content = header() + b"".join(event(step, scalar(tag, value / (step + 1))) for step in range(4))
        (logs / name / "events.out.tfevents.1.host").write_bytes(content)
    runs, remarks = danlu.import_runs(logs, folder=tmp_path / "runs")
    by_steps = {run.folder.name.rpartition("-")[0]: run for run in runs}
    assert set(by_steps) == {"logs-a", "logs-b"} and not remarks
    assert by_steps["logs-a"].history["loss"].to_list() == pytest.approx([1.0, 1 / 2, 1 / 3, 1 / 4])
    assert by_steps["logs-b"].score["validation"]["loss"] == pytest.approx(3 / 4)
    assert by_steps["logs-b"].score["train"]["loss"] == pytest.approx(2 / 4)
    assert by_steps["logs-a"].imported.source == "tensorboard"


def test_what_has_no_word_keeps_its_name_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    rows = [f"{step},{step // 4},{1 / (step + 1)},{step * 10},cpu" for step in range(8)]
    (tmp_path / "log.csv").write_text("\n".join(["step,epoch,loss,Reward mean,device", *rows]))
    (run,), remarks = danlu.import_runs(tmp_path / "log.csv", folder=tmp_path / "runs")
    assert run.history["train_Reward mean"].drop_nulls().to_list() == [30.0, 70.0]
    said = " ".join(map(str, remarks))
    assert "left out: device" in said and "6 values" in said


def test_a_log_without_a_loss_is_shown_too(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("step,val_bleu\n10,0.1\n20,0.3\n")
    run = imported(tmp_path / "log.csv", tmp_path / "runs")
    assert run.score == {"validation": {"bleu": 0.3}} and run.epochs == 2
    assert "bleu" in str(run).lower() and (run.folder / "report.html").is_file()


def test_an_imported_run_is_shown_beside_others_and_refuses_what_needs_weights(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(KERAS)
    folder = imported(tmp_path / "log.csv", tmp_path / "runs").folder
    own = danlu.fit("softmax-regression", "iris", epochs=1, folder=tmp_path / "runs" / "own", progress=False)
    entries = {entry.name: entry for entry in Index(tmp_path / "runs").entries()}
    assert entries[folder.name].summary.state == "finished" and entries["own"].summary.state == "finished"
    assert run_info_of(RunFolder(folder)).history.imported is not None
    run = danlu.Run(folder)
    acts: list[Any] = [
        run.net,
        lambda: run.predict([[1.0]]),
        lambda: run.export(tmp_path / "net.onnx"),
        lambda: run.fit(epochs="+1"),
        lambda: danlu.resume(folder),
        lambda: danlu.cure(folder),
        lambda: danlu.package(folder),
        lambda: danlu.fit(data="iris", weights_from=folder),
        lambda: run.samples,
    ]
    for act in acts:
        with pytest.raises(UserError, match="imported from a log"):
            act()
    assert own.finished and not (tmp_path / "net.onnx").exists()


MALFORMED = {
    "no steps": ("a,b\n1,2\n", "no column of steps or epochs"),
    "a cell short": ("step,loss\n1,0.5\n2\n", "line 3: 1 cells"),
    "no number": ("step,loss\n1,0.5\n2,abc\n", 'line 3: column loss is "abc"'),
    "no step": ("step,loss\n1,0.5\nx,0.4\n", "line 3: the step"),
    "half a step": ("step,loss\n1.5,0.5\n", "line 2: the step"),
    "no values": ("step,loss\n1,\n", "no numbers"),
    "twice": ("step,loss,loss\n1,2,3\n", "same name"),
    "empty": ("", "is empty"),
    "open quote": ('step,loss\n1,"0.5\n', "not a valid CSV"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_table_is_refused_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    content, words = MALFORMED[name]
    (tmp_path / "good.csv").write_text(KERAS)
    (tmp_path / "bad.csv").write_text(content)
    with pytest.raises(UserError, match=words):
        danlu.import_runs(tmp_path / "good.csv", tmp_path / "bad.csv", folder=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1").write_bytes(event(1, scalar("loss", 1.0))[:-3])
    (tmp_path / "notes.txt").write_text("no log")
    (tmp_path / "empty").mkdir()
    names = ("events.out.tfevents.1", "notes.txt", "empty", "missing")
    with pytest.raises(UserError, match="cut short") as caught:
        danlu.import_runs(*(tmp_path / name for name in names), folder=tmp_path / "runs")
    assert [fault.id for fault in caught.value.faults] == [
        "imported.cut",
        "imported.not-a-log",
        "imported.nothing",
        "imported.missing",
    ]


def test_runs_of_danlus_own_are_not_imported_again(tmp_path: Path) -> None:
    danlu.fit("softmax-regression", "iris", epochs=1, folder=tmp_path / "all" / "own", progress=False)
    (tmp_path / "all" / "own" / "events.out.tfevents.1").write_bytes(header() + event(1, scalar("loss", 1.0)))
    (tmp_path / "all" / "log.csv").write_text(KERAS)
    runs, remarks = danlu.import_runs(tmp_path / "all", folder=tmp_path / "runs")
    assert len(runs) == 1 and "danlu run already" in str(remarks[0])
