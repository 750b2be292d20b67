"""The trackers against their own libraries, all offline; and TensorBoard's files read by danlu and by TensorBoard."""

import glob
import math
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.ship.trackers import courier
from danlu.store.foreign.event_file import Events, read_events

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]
QUICK: dict[str, Any] = {"epochs": 2, "hidden": [16], "progress": False, "track.every": 10}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_MODE", "WANDB_PROJECT", "WANDB_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(courier, "PATIENCE", 600.0)
    monkeypatch.setattr(courier.Courier.wait, "__defaults__", (600.0,))


def fitted(folder: Path, tracker: str, **settings: Any) -> danlu.Run:
    return danlu.fit("mlp", "digits", folder=folder, track=[tracker], **{**QUICK, **settings})


def interrupted_at(step: int, folder: Path, tracker: str) -> danlu.Run:
    def stop(event: object) -> None:
        if isinstance(event, danlu.StepDone) and event.step == step:
            raise KeyboardInterrupt("by the test")

    with pytest.raises(KeyboardInterrupt, match="by the test"):
        fitted(folder, tracker, listeners=[stop], checkpoint_steps=40)
    return danlu.resume(folder, progress=False)


def losses_of(run: danlu.Run) -> dict[int, float]:
    rows = zip(run.history["step"], run.history["loss"], strict=True)
    return {step: loss for step, loss in rows if step % 10 == 0}


def accumulated(folder: Path) -> Any:
    module = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = module.EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    found.Reload()
    return found


def test_tensorboard_reads_what_is_told_also_over_a_resume(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run = interrupted_at(100, tmp_path / "run", "tensorboard")
    found = accumulated(tmp_path / "run" / "tensorboard")
    told = {one.step: one.value for one in found.Scalars("loss")}
    assert told == pytest.approx(losses_of(run), rel=1e-6) and len(found.Scalars("loss")) == len(told)
    assert found.Scalars("final/test/accuracy")[0].value == pytest.approx(run.score["test"]["accuracy"])
    assert [one.step for one in found.Scalars("validation/accuracy")] == [run.steps // 2, run.steps]
    assert {"curves", "confusion"} <= set(found.Tags()["images"])
    assert "recipe/text_summary" in found.Tags()["tensors"]
    assert "_hparams_/session_start_info" in found.summary_metadata


def test_danlus_reader_and_tensorboards_agree(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    writer: Any = SummaryWriter(str(tmp_path))
    for step in range(50):
        writer.add_scalar("loss", math.sin(step) if step % 7 else math.nan, step)
        writer.add_scalar("new/style", step / 3, step, new_style=True)
        writer.add_scalar("double", step / 3, step, new_style=True, double_precision=True)
        writer.add_text("words", "x" * step, step)
    writer.close()
    events = Events()
    (file,) = glob.glob(str(tmp_path / "events*"))
    read_events(Path(file), events)
    found = accumulated(tmp_path)
    assert repr([(p.step, p.value) for p in events.scalars["loss"]]) == repr(
        [(p.step, p.value) for p in found.Scalars("loss")]
    )
    for tag in ("new/style", "double"):
        assert [p.value for p in events.scalars[tag]] == pytest.approx([step / 3 for step in range(50)], rel=1e-6)
    assert set(events.scalars) == {"loss", "new/style", "double"}


def test_what_danlu_tracked_can_be_imported(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run = fitted(tmp_path / "run", "tensorboard")
    (again,), _ = danlu.import_runs(tmp_path / "run" / "tensorboard", folder=tmp_path / "runs")
    assert dict(zip(again.history["step"], again.history["loss"], strict=True)) == pytest.approx(
        losses_of(run), rel=1e-6
    )
    assert again.score["validation"]["accuracy"] == pytest.approx(run.history["validation_accuracy"].drop_nulls()[-1])


def test_lightnings_own_logs_are_imported(tmp_path: Path) -> None:
    lightning = pytest.importorskip("pytorch_lightning")
    loggers = pytest.importorskip("pytorch_lightning.loggers")
    pytest.importorskip("tensorboard")
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    class Line(lightning.LightningModule):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Linear(3, 1)

        def training_step(self, batch: Any, index: int) -> Any:
            loss = self.net(batch[0]).square().mean()
            self.log("train_loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, index: int) -> None:
            self.log("val_loss", self.net(batch[0]).square().mean())

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    loader = DataLoader(TensorDataset(torch.randn(40, 3, generator=torch.Generator().manual_seed(0))), batch_size=10)
    both = [loggers.TensorBoardLogger(tmp_path / "tb"), loggers.CSVLogger(tmp_path / "csv")]
    quiet: dict[str, Any] = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    trainer = lightning.Trainer(
        max_epochs=3, logger=both, log_every_n_steps=1, default_root_dir=tmp_path, enable_checkpointing=False, **quiet
    )
    trainer.fit(Line(), loader, loader)
    (board,), _ = danlu.import_runs(tmp_path / "tb", folder=tmp_path / "runs")
    (table,), _ = danlu.import_runs(tmp_path / "csv", folder=tmp_path / "runs")
    for run in (board, table):
        assert (run.epochs, run.steps, len(run.history)) == (3, 12, 12)
    assert table.history["loss"].to_list() == pytest.approx(board.history["loss"].to_list(), rel=1e-4)
    assert table.score["validation"]["loss"] == pytest.approx(board.score["validation"]["loss"], rel=1e-4)


def test_mlflow_holds_the_run_once_over_a_resume_and_a_study_with_its_children(tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow")
    run = interrupted_at(100, tmp_path / "run", "mlflow")
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("danlu").experiment_id
    (told,) = client.search_runs([experiment])
    assert (told.info.status, told.info.run_name) == ("FINISHED", "run")
    history = client.get_metric_history(told.info.run_id, "loss")
    assert {one.step: one.value for one in history} == pytest.approx(losses_of(run))
    assert len(history) == len(losses_of(run))  # nothing twice
    assert told.data.params["train.seed"] == "0" and told.data.metrics["final/test/loss"] == run.score["test"]["loss"]
    assert {"run", "pictures", "recipe.txt"} <= {one.path for one in client.list_artifacts(told.info.run_id)}
    assert {"run/recipe.toml", "run/report.html"} <= {
        one.path for one in client.list_artifacts(told.info.run_id, "run")
    }

    vary: dict[str, Any] = {"lr": [1e-5, 0.1]}
    danlu.compare(
        "softmax-regression",
        "iris",
        vary=vary,
        seeds=2,
        epochs=2,
        folder=tmp_path / "s",
        track="mlflow",
        progress=False,
    )
    (parent,) = (one for one in client.search_runs([experiment]) if one.info.run_name == "s")
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
    assert {(one.data.params["optim.lr"], one.data.params["seed"]) for one in children} == {
        (lr, seed) for lr in ("1e-05", "0.1") for seed in ("0", "1")
    }
    assert all(one.info.status == "FINISHED" and "validation/loss" in one.data.metrics for one in children)


def log_records(content: bytes) -> Iterator[bytes]:
    """The records of a file in LevelDB's log format, as wandb writes it behind a head of seven bytes: blocks of 32 KiB,
    pieces with checksum, length and kind (whole, first, middle, last)."""
    at, pending = 7, b""
    while at + 7 <= len(content):
        left = 2**15 - at % 2**15
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, at)
        pending += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):
            yield pending
            pending = b""


def test_wandb_keeps_runs_and_a_studys_group_offline(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    from wandb.proto import wandb_internal_pb2

    def records(folder: str) -> list[Any]:
        """What was kept, once its end is: a process of wandb's own writes it."""
        (file,) = glob.glob(f"{folder}/*.wandb")
        for _ in range(600):
            found = [wandb_internal_pb2.Record.FromString(data) for data in log_records(Path(file).read_bytes())]
            if any(one.HasField("exit") for one in found):
                return found
            time.sleep(0.1)
        raise AssertionError(f"{file} has no end")

    run = fitted(tmp_path / "run", "wandb")
    (folder,) = glob.glob(str(tmp_path / ".wandb" / "offline-run-*"))
    told = records(folder)
    (opened,) = (one.run for one in told if one.HasField("run"))
    assert (opened.project, opened.display_name) == ("danlu", "run")
    steps = [one.history.step.num for one in told if one.HasField("history")]
    assert steps == sorted(steps) and set(losses_of(run)) <= set(steps)
    assert (Path(folder) / "files" / "run" / "recipe.toml").is_file()
    assert glob.glob(f"{folder}/files/media/images/pictures/curves*.png")

    danlu.compare(
        "softmax-regression", "iris", vary={"lr": [0.01, 0.1]}, seeds=1, epochs=1, folder=tmp_path / "g" / "s",
        track="wandb", progress=False,
    )  # fmt: skip
    runs = [
        next(one.run for one in records(folder) if one.HasField("run"))
        for folder in glob.glob(str(tmp_path / "g" / ".wandb" / "offline-run-*"))
    ]
    assert len(runs) == 3 and {one.run_group for one in runs} == {"s"}
    assert sorted(one.job_type for one in runs) == ["study", "training", "training"]
