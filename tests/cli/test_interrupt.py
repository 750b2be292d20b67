"""Ctrl-C and SIGTERM on a real process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

import danlu
import preloaded
from command_line import SOFTMAX, Type
from danlu.base.events import Event, StepDone, Stop
from danlu.run.interrupt import Interrupt
from danlu.train.checkpoint import load_newest

TRAIN = ["fit", "--net", "mlp", "net.dropout=0.2", "train.epochs=10", "train.batch_size=8", "--folder"]


def begin(folder: Path, *more: str) -> preloaded.Process:
    """A training in a process of its own, already in its loop."""
    process = preloaded.Process(["-m", "danlu", *TRAIN, str(folder), *more], cwd=folder.parent)
    journal = folder / "journal.jsonl"
    for _ in range(1200):
        if journal.exists() and '"epoch"' in journal.read_text():
            return process
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError("the training did not begin within a minute")


def carry_out(*arguments: str, cwd: Path) -> None:
    preloaded.run(["-m", "danlu", *arguments], cwd=cwd).check_returncode()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    """The weights at the end of a training that nothing disturbed."""
    place = tmp_path_factory.mktemp("undisturbed")
    carry_out(*TRAIN, str(place / "whole"), cwd=place)
    return end(place / "whole")


def end(folder: Path) -> dict[str, torch.Tensor]:
    checkpoint = load_newest(folder / "checkpoints").checkpoint
    assert checkpoint is not None
    return checkpoint.parts["weights"]


@pytest.mark.every(2)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_told_once_it_saves_says_how_to_go_on_and_goes_on_exactly(
    tmp_path: Path, number: signal.Signals, whole: dict[str, torch.Tensor]
) -> None:
    process = begin(tmp_path / "run")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert "danlu resume run\n" in out
    run = danlu.Run(tmp_path / "run")
    assert not run.finished
    newest = load_newest(tmp_path / "run" / "checkpoints").checkpoint
    assert newest is not None
    assert newest.step == run.steps > 0

    carry_out("resume", str(tmp_path / "run"), cwd=tmp_path)
    resumed = end(tmp_path / "run")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(tensor, resumed[name]) for name, tensor in whole.items())


@pytest.mark.slow
def test_told_twice_it_stops_at_once_and_the_last_checkpoint_is_whole(tmp_path: Path) -> None:
    process = begin(tmp_path / "run", "train.checkpoint_steps=50")
    while not any((tmp_path / "run" / "checkpoints").glob("step-*")) and process.poll() is None:
        time.sleep(0.01)  # nothing is saved before step 50, and it may stop sooner than that
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert "danlu resume run\n" in out
    newest = load_newest(tmp_path / "run" / "checkpoints")
    assert newest.checkpoint is not None
    assert newest.skipped == ()


class TwiceAtStepSeven(Interrupt):
    """Ctrl-C falls twice into one step."""

    number = signal.SIGINT

    def __call__(self, event: Event) -> Stop | None:
        if isinstance(event, StepDone) and event.step == 7:
            os.kill(os.getpid(), self.number)
            os.kill(os.getpid(), self.number)
        return super().__call__(event)


class TermTwiceAtStepSeven(TwiceAtStepSeven):
    """A scheduler says twice that it is time."""

    number = signal.SIGTERM


def test_terminated_twice_it_still_saves(language: str, work: Path, type_in: Type, monkeypatch: Any) -> None:
    monkeypatch.setattr("danlu.run.training.Interrupt", TermTwiceAtStepSeven)
    told = type_in(*SOFTMAX, "train.epochs=1", "--folder", "run", "--lang", language)
    assert told.code == 130
    assert ("Stopped, and saved" if language == "en" else "已停止，进度已保存") in told.out
    newest = load_newest(work / "run" / "checkpoints").checkpoint
    assert newest is not None and newest.step == 7


@pytest.mark.every(2)
def test_told_twice_it_says_that_it_stopped_at_once(
    language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = (*SOFTMAX, "train.epochs=1", "train.checkpoint_steps=5", "--folder")
    with monkeypatch.context() as interrupted:
        interrupted.setattr("danlu.run.training.Interrupt", TwiceAtStepSeven)
        told = type_in(*tokens, "run", "--lang", language)
        silent = type_in(*tokens, "other", "--json")
    assert told.code == silent.code == 130
    assert ("Stopped at once" if language == "en" else "已立即停止") in told.out
    assert "danlu resume run" in told.out
    assert silent.json["finished"] is False
    newest = load_newest(work / "run" / "checkpoints").checkpoint
    assert newest is not None and newest.step == 5, "what came after the last save is done over"
    assert type_in("resume", "run", "--json").json["finished"] is True


def test_json_says_that_it_is_not_finished(tmp_path: Path) -> None:
    process = begin(tmp_path / "run", "--json")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    record = json.loads(out)
    assert record["finished"] is False
    assert record["run"] == str(tmp_path / "run")
    assert err == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_before_the_loop_it_just_ends(tmp_path: Path, number: signal.Signals) -> None:
    program = f"""
import os, signal
import danlu.run.fit
from danlu.cli.main import main
danlu.run.fit.set_up = lambda *_: os.kill(os.getpid(), {number})
raise SystemExit(main(["fit", "--folder", {str(tmp_path / "run")!r}]))
"""
    done = preloaded.run(["-c", program], cwd=tmp_path)
    assert done.returncode == 130
    assert done.stderr == "✖ Stopped; nothing was trained yet.\n"
    assert list(tmp_path.iterdir()) == []


IMPATIENT = """
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.every(4)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("way", ["module", "script"])
def test_while_torch_is_being_imported_it_just_ends(
    tmp_path: Path, number: signal.Signals, way: str, language: str
) -> None:
    (tmp_path / "sitecustomize.py").write_text(IMPATIENT.replace("{number}", str(int(number))))
    (tmp_path / "danlu").write_text("from danlu.cli.main import main\nraise SystemExit(main())\n")
    command = [sys.executable, *(["-m", "danlu"] if way == "module" else [str(tmp_path / "danlu")]), "fit", "--json"]
    places = os.pathsep.join([str(tmp_path), *(place for place in [os.environ.get("PYTHONPATH")] if place)])
    environment = os.environ | {"PYTHONPATH": places}
    done = subprocess.run(
        [*command, "--lang", language], capture_output=True, text=True, check=False, cwd="/", env=environment
    )
    sentence = "Stopped; nothing was trained yet." if language == "en" else "已停止，训练还没有开始。"
    assert (done.returncode, done.stderr) == (130, f"✖ {sentence}\n")
    assert json.loads(done.stdout) == {"error": [sentence]}


def test_a_library_leaves_the_signals_alone(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(IMPATIENT.replace("{number}", str(int(signal.SIGINT))))
    places = os.pathsep.join([str(tmp_path), *(place for place in [os.environ.get("PYTHONPATH")] if place)])
    # A shell starts what it puts in the background with SIGINT ignored, and Python leaves it at that.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{heard}; import danlu; danlu.fit"]  # which is when torch is imported
    environment = os.environ | {"PYTHONPATH": places}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert "KeyboardInterrupt" in done.stderr
