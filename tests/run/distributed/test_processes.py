"""One training over real processes: one of them writes, all of them train what one would, bit for bit where asked."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

import danlu
from danlu.base.errors import UserError
from danlu.base.events import Event, StepDone, Stop
from danlu.train.checkpoint import load_newest
from several_processes import in_processes

BASE: dict[str, Any] = {"batch_size": 45, "epochs": 2, "progress": False, "watch": False}
EXACT: dict[str, Any] = {"exact": True, "checkpoint_steps": 5}
NET = {"name": "mlp", "hidden": [16], "dropout": 0.3, "norm": "batch"}
PLAIN = {"name": "mlp", "hidden": [16], "norm": "batch"}


def fitted(net: Any, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    run = danlu.fit(net, "digits", folder=folder, **{**BASE, **settings})
    return {"folder": str(run.folder), "score": run.score, "names": sorted(os.listdir(folder))}


def end(folder: Path) -> dict[str, torch.Tensor]:
    newest = load_newest(folder / "checkpoints").checkpoint
    assert newest is not None
    assert "world" not in json.dumps(newest.state)
    return {f"{part} {name}": one for part, tensors in newest.parts.items() for name, one in tensors.items()}


def assert_same_bits(one: Path, other: Path) -> None:
    first, second = end(one), end(other)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def test_two_processes_write_one_run_and_train_what_one_does(tmp_path: Path) -> None:
    settings = {"epochs": 7, "precision": "float64", "watch": True}  # 196 steps
    fitted(PLAIN, tmp_path / "alone", {**settings, "processes": 1})
    told = in_processes(2, tmp_path / "meeting", fitted, PLAIN, tmp_path / "two", settings)
    assert told[0] == told[1]
    alone, two = end(tmp_path / "alone"), end(tmp_path / "two")
    for name, tensor in alone.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-6, atol=1e-9, msg=name)
    records = [json.loads(line) for line in (tmp_path / "two" / "journal.jsonl").read_text().splitlines()]
    assert [record["kind"] for record in records].count("start") == 1
    assert sum(len(record["loss"]) for record in records if record["kind"] == "steps") == 196
    assert danlu.Run(tmp_path / "two").score["test"] == pytest.approx(danlu.Run(tmp_path / "alone").score["test"])


@pytest.mark.slow
def test_an_exact_training_has_the_same_bits_on_one_to_four_processes(tmp_path: Path) -> None:
    fitted(NET, tmp_path / "1", EXACT)
    for world in (2, 3, 4):
        in_processes(world, tmp_path / f"meeting-{world}", fitted, NET, tmp_path / str(world), EXACT)
        assert_same_bits(tmp_path / "1", tmp_path / str(world))


def _stopped_by_one(folder: Path, scratch: Path, rank: int) -> str:
    """A SIGTERM reaches the process of that rank after step 20."""

    def ask(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 20:
            os.kill(int((scratch / f"process-{rank}").read_text()), signal.SIGTERM)

    try:
        danlu.fit(NET, "digits", folder=folder, listeners=[ask], **{**BASE, **EXACT})
    except KeyboardInterrupt:
        return "interrupted"
    return "finished"


def _resumed(folder: Path) -> int:
    return danlu.resume(folder, progress=False).steps


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_all_stop_together_and_go_on_in_another_number(rank: int, tmp_path: Path) -> None:
    fitted(NET, tmp_path / "alone", EXACT)
    scratch = tmp_path / "first"
    told = in_processes(2, scratch, _stopped_by_one, tmp_path / "run", scratch, rank)
    assert set(told.values()) == {"interrupted"}
    newest = load_newest(tmp_path / "run" / "checkpoints").checkpoint
    assert newest is not None
    assert 20 <= newest.step < 56
    assert set(in_processes(3, tmp_path / "second", _resumed, tmp_path / "run").values()) == {56}
    assert_same_bits(tmp_path / "alone", tmp_path / "run")


def _dying(folder: Path, rank: int) -> None:
    """The process of that rank kills itself in the middle of the training, the first time."""
    first = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"

    class Dying(nn.Linear):
        calls = 0

        def forward(self, input: torch.Tensor) -> torch.Tensor:
            Dying.calls += self.training
            if first and os.environ["RANK"] == str(rank) and Dying.calls == 60:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().forward(input)

    danlu.fit(_own_net(Dying), "digits", folder=folder, **{**BASE, **EXACT})


def _own_net(kind: type[nn.Linear]) -> nn.Module:
    torch.manual_seed(4)
    return nn.Sequential(nn.Flatten(), kind(64, 12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 10))


@pytest.mark.slow
@pytest.mark.parametrize("rank", [1, 0])
def test_a_process_that_is_lost_costs_no_bit(rank: int, tmp_path: Path) -> None:
    danlu.fit(_own_net(nn.Linear), "digits", folder=tmp_path / "alone", **{**BASE, **EXACT})
    in_processes(2, tmp_path / "meeting", _dying, tmp_path / "run", rank, restarts=1)
    assert_same_bits(tmp_path / "alone", tmp_path / "run")
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    assert kinds.count("resume") == 1


def _told_to_stop(folder: Path) -> int:
    def enough(event: Event) -> Stop | None:
        return Stop("seen enough") if isinstance(event, StepDone) and event.step == 9 else None

    return danlu.fit(PLAIN, "digits", folder=folder, listeners=[enough], **BASE).steps


@pytest.mark.slow
def test_a_listener_of_the_first_process_ends_all(tmp_path: Path) -> None:
    assert in_processes(2, tmp_path / "meeting", _told_to_stop, tmp_path / "run") == {0: 9, 1: 9}


def _with_other_data() -> str:
    x = numpy.random.default_rng(int(os.environ["RANK"])).normal(size=(40, 3))
    try:
        danlu.fit("mlp", (x, x[:, 0] > 0), folder=None, epochs=1, progress=False)
    except UserError as error:
        return error.faults[0].id
    return ""


@pytest.mark.slow
def test_other_data_in_another_process_are_an_error_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = in_processes(2, tmp_path / "meeting", _with_other_data)
    assert told == {0: "processes.other-data", 1: "processes.other-data"}
    assert not (tmp_path / "runs").exists()


def _with_taken_folder(folder: Path) -> str:
    try:
        danlu.fit("softmax-regression", "digits", folder=folder, **BASE)
    except UserError as error:
        return str(error)
    return ""


@pytest.mark.slow
def test_a_folder_that_is_taken_is_told_to_all(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    told = in_processes(2, tmp_path / "meeting", _with_taken_folder, tmp_path / "run")
    assert "run" in told[0]
    assert told[1].startswith(("Process 0: ", "进程 0："))


def _listening(folder: Path) -> list[str]:
    """The addresses that this process listens on, in the middle of a training."""
    found: list[str] = []

    def look(event: Event) -> None:
        if isinstance(event, StepDone) and event.step == 3:
            own = {os.readlink(one.path) for one in os.scandir("/proc/self/fd") if Path(one.path).is_symlink()}
            for table in ("tcp", "tcp6"):
                for line in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
                    words = line.split()
                    if words[3] == "0A" and f"socket:[{words[9]}]" in own:
                        found.append(words[1].partition(":")[0])

    danlu.fit(PLAIN, "digits", folder=folder, listeners=[look], **{**BASE, "epochs": 1})
    return found


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="only Linux tells who listens there")
def test_nothing_listens_but_on_the_loopback_interface(tmp_path: Path) -> None:
    told = in_processes(2, tmp_path / "meeting", _listening, tmp_path / "run")
    assert told[0]
    assert set(told[0]) == {"0100007F"}


def _lost_for_good(folder: Path) -> None:
    _dying(folder, 1)


@pytest.mark.slow
def test_without_restarts_what_was_saved_stands(tmp_path: Path) -> None:
    with pytest.raises(ChildFailedError, match="FAILED"):
        in_processes(2, tmp_path / "meeting", _lost_for_good, tmp_path / "run")
    newest = load_newest(tmp_path / "run" / "checkpoints").checkpoint
    assert newest is not None
    assert newest.step == 25
