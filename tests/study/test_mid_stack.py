"""A study killed in the middle of a stack goes on from its last checkpoint, and ends with the very same bits."""

import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import danlu
import preloaded
from danlu.base.events import StepDone
from danlu.run.interrupt import Interrupted
from danlu.store.journal import read
from danlu.study.beside import Beside
from danlu.study.stack_checkpoints import StackCheckpointer
from danlu.study.study import Study

VARY = {"lr": [0.01, 0.05, 0.2, 1e6], "net.dropout": [0.0, 0.3]}
SETTINGS: dict[str, Any] = {
    "seeds": 2, "folds": 2, "epochs": 24, "batch_size": 128, "patience": 3, "ema": 0.9, "progress": False,
    "train.checkpoint_steps": 7,
}  # fmt: skip
SELDOM: dict[str, Any] = {"train.checkpoint_steps": None}
STEPS = 6  # an epoch
STUDY = f"""
import hashlib, sys
import danlu
from danlu.study import carry_out

told = carry_out._record

def record(planned, key, trained, column):
    state = trained.states[column]
    digest = hashlib.sha256(b"".join(state[name].numpy().tobytes() for name in sorted(state))).hexdigest()
    with open(sys.argv[2], "a") as file:
        file.write(f"{{key.key}}: {{digest}}\\n")
    return told(planned, key, trained, column)

carry_out._record = record
danlu.compare("mlp", "digits", vary={VARY!r}, folder=sys.argv[1], **{SETTINGS!r})
"""


def begun(folder: Path) -> preloaded.Process:
    return preloaded.Process(["-c", STUDY, str(folder), f"{folder}.weights"])


def outcome(folder: Path) -> tuple[set[str], set[str]]:
    """The members' records, and the hashes of their weights."""
    rows = [row for row in read(folder / "journal.jsonl") if row["kind"] == "member"]
    assert len(rows) == 32
    return {str(row) for row in rows}, set(Path(f"{folder}.weights").read_text().splitlines())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[str], set[str]]:
    folder = tmp_path_factory.mktemp("whole") / "s"
    process = begun(folder)
    assert process.wait(300) == 0, process.communicate()
    return outcome(folder)


def last_step(place: Path) -> int:
    """That of the newest checkpoint of a stack; 0 where there is none."""
    return max((int(path.name.split("-")[1]) for path in place.glob("step-*")), default=0)


def saved(folder: Path) -> int:
    """The last step of a checkpoint that stands in the study's folder."""
    return max(map(last_step, folder.glob("stacks/*")), default=0)


@pytest.mark.slow
def test_killed_in_mid_stack_again_and_again(whole: tuple[set[str], set[str]], tmp_path: Path) -> None:
    folder = tmp_path / "s"
    kills = 0
    for step in (20, 60, 120):
        process = begun(folder)
        while process.poll() is None and saved(folder) < step:
            time.sleep(0.002)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
    assert kills > 1, "it was over before it was killed"
    under_way = {place.name: step for place in (folder / "stacks").iterdir() if (step := last_step(place))}
    assert max(under_way.values()) >= 60
    process = begun(folder)
    assert process.wait(300) == 0, process.communicate()
    assert outcome(folder) == whole
    assert not (folder / "stacks").exists()
    rows = list(read(folder / "journal.jsonl"))
    begins = max(number for number, row in enumerate(rows) if row["kind"] == "begin")
    for name, step in under_way.items():
        told = [row["epochs"] for row in rows[begins:] if row["kind"] == "member-epochs" and row["stack"] == name]
        assert min(map(min, told)) == 1 + (step - 1) // STEPS, "it did not begin where its checkpoint stood"
        assert {epoch for row in rows if row.get("stack") == name for epoch in row.get("epochs", ())} == set(
            range(1, 1 + max(map(max, told)))
        ), "epochs are missing in the journal"


def test_told_to_stop_it_saves_that_very_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []

    def listeners(own: Beside, *given: Any) -> list[Any]:
        def stop(event: object) -> None:
            if isinstance(event, StepDone) and event.step == 33 and not told:
                told.append(event.step)
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.1)  # the main thread has to hear of it, if this is another

        return [stop, *original(own, *given)]

    original = Beside.listeners
    monkeypatch.setattr(Beside, "listeners", listeners)
    with pytest.raises(Interrupted, match=re.escape(str(tmp_path))) as caught:
        danlu.compare("mlp", "digits", vary=VARY, folder=tmp_path / "s", **SETTINGS | SELDOM)
    assert caught.value.saved
    assert saved(tmp_path / "s") in (33, 34)


@pytest.mark.slow
def test_a_damaged_checkpoint_is_passed_over_and_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def save(checkpointer: StackCheckpointer) -> None:
        original(checkpointer)
        if saved(tmp_path / "s") >= 35:
            raise KeyboardInterrupt("killed")

    original = StackCheckpointer.save
    monkeypatch.setattr(StackCheckpointer, "save", save)
    with pytest.raises(KeyboardInterrupt, match="killed"):
        danlu.compare("mlp", "digits", vary=VARY, folder=tmp_path / "s", **SETTINGS)
    monkeypatch.undo()
    for place in (tmp_path / "s" / "stacks").iterdir():
        (max(place.glob("step-*")) / "manifest.json").write_text("{}")
    study = danlu.resume(tmp_path / "s", progress=False)
    assert study.finished
    assert len(study.members) == 32
    assert "step-" in capsys.readouterr().err


def scores(study: Study) -> set[str]:
    return {f"{member.factors} {member.seed} {member.fold} {member.score}" for member in study.members}


@pytest.mark.slow
def test_how_often_it_is_saved_changes_no_bit(tmp_path: Path) -> None:
    often = danlu.compare("mlp", "digits", vary=VARY, folder=tmp_path / "a", **SETTINGS)
    never = danlu.compare(
        "mlp", "digits", vary=VARY, folder=tmp_path / "b", **SETTINGS | {"train.checkpoint_steps": None}
    )
    assert scores(often) == scores(never)
