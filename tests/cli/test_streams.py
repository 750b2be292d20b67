"""Standard streams that refuse end no training, leave no traceback, and reach no file of the run."""

import subprocess
import sys
from pathlib import Path

import pytest

import danlu

FIT = [sys.executable, "-m", "danlu", "fit", "--net", "softmax-regression", "train.epochs=1", "--name", "run"]

MORE = [
    ("2>/dev/full", 0),
    (">/dev/full", 1),
    ("2>&-", 0),
    (">&-", 0),
    ("| true", 0),
    ("2>&1 >/dev/null | true", 0),
]


def shell(command: list[str], redirection: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    line = " ".join(command) + " " + redirection
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("redirection", "code"),
    [
        (">/dev/full 2>/dev/full", 1),
        ("<&- >&- 2>&-", 0),
        *(pytest.param(redirection, code, marks=pytest.mark.slow) for redirection, code in MORE),
    ],
)
def test_a_training_outranks_what_is_told_of_it(redirection: str, code: int, tmp_path: Path) -> None:
    done = shell(FIT, redirection, tmp_path)
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == code
    # What was meant for the terminal has gone into no file of the run.
    assert danlu.Run(tmp_path / "runs" / "run").finished


def test_a_lost_output_is_told(tmp_path: Path) -> None:
    done = shell([sys.executable, "-m", "danlu", "nets"], ">/dev/full", tmp_path)
    assert done.returncode == 1
    assert "The output could not be written (No space left on device)" in done.stderr


def test_a_mistake_is_told_though_standard_output_refuses(tmp_path: Path) -> None:
    done = shell([sys.executable, "-m", "danlu", "nts", "--json"], ">/dev/full", tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
