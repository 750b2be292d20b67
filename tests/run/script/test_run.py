"""danlu run: the script does what it does without danlu, bit for bit; what is found in it is kept and shown."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import preloaded
from danlu.run.run_record import RunRecord
from danlu.store.finding_log import FindingLog
from danlu.store.run_folder import RunFolder
from user_scripts import ENDINGS, TRAININGS, UNHEALTHY, WATCHED

RUN = ["-m", "danlu", "run"]


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


def python(folder: Path, *words: str) -> Ended:
    done = subprocess.run(
        [sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def script(folder: Path, source: str) -> str:
    (folder / "train.py").write_text(source, encoding="utf-8")
    return "train.py"


def own(err: str) -> list[str]:
    """The lines on standard error that are the script's: danlu's findings and last words left out."""
    signs = ("✖ ", "▲ ", "· ", "    ", "danlu: ", "no problems found")
    return [line for line in err.splitlines() if not line.startswith(signs) and " rules, " not in line]


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_is_bit_for_bit_the_same(name: str, tmp_path: Path) -> None:
    train = script(tmp_path, TRAININGS[name])
    plain, watched = python(tmp_path, train), python(tmp_path, *RUN, train)
    assert plain.code == watched.code == 0, watched.err
    assert plain.out == watched.out
    assert len(plain.out.split()[-1]) == 64
    assert own(watched.err) == own(plain.err)
    runs = sorted((tmp_path / "runs").iterdir())
    assert len(runs) == WATCHED.get(name, 1)
    for run in runs:
        record = RunRecord(run)
        assert record.finished
        assert record.steps >= 12
        assert "<html" in RunFolder(run).report.read_text(encoding="utf-8")


@pytest.mark.every(3)
@pytest.mark.parametrize("name", ENDINGS)
def test_a_program_ends_as_it_does(name: str, tmp_path: Path) -> None:
    source, arguments, code = ENDINGS[name]
    train = script(tmp_path, source)
    plain, watched = python(tmp_path, train, *arguments), python(tmp_path, *RUN, train, *arguments)
    assert plain.code == watched.code == code, watched.err
    assert plain.out == watched.out
    told = [line for line in watched.err.splitlines() if line in plain.err.splitlines()]
    assert told == plain.err.splitlines()
    assert ("not judged: no step" in watched.err) == ("torch" not in source)


def test_a_module_runs_too(tmp_path: Path) -> None:
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "tool" / "__main__.py").write_text(
        "import sys\nfrom tool import other\nprint(sys.argv, __name__, __package__, __spec__.name, sys.path[0])\n1 / 0",
        encoding="utf-8",
    )
    (tmp_path / "tool" / "other.py").write_text("", encoding="utf-8")
    for module in ("tool", "tool.__main__", "no_such_module"):
        plain, watched = python(tmp_path, "-m", module, "-a"), python(tmp_path, *RUN, "-m", module, "-a")
        assert (plain.code, plain.out) == (watched.code, watched.out)
        assert plain.err in watched.err


def test_what_is_found_is_kept_and_shown(tmp_path: Path) -> None:
    train = script(tmp_path, UNHEALTHY)
    watched = python(tmp_path, *RUN, "--folder", "first", "--json", train)
    told = json.loads(watched.out.splitlines()[-1])
    assert told["exit"] == 0
    (run,) = told["runs"]
    assert run["script"] == {"name": "train.py", "arguments": []}
    finding = run["findings"][0]
    line = 1 + next(n for n, text in enumerate(UNHEALTHY.splitlines()) if "Softmax(" in text)
    assert (finding["rule"], finding["line"]) == (
        "softmax-twice", {"file": str(tmp_path / "train.py"), "line": line},
    )  # fmt: skip
    assert f"train.py:{line}" in watched.err
    shown = preloaded.run(["-m", "danlu", "show", "first"], cwd=tmp_path)
    assert "softmax-twice" in shown.stdout
    assert "train.py: 48 watched steps" in shown.stdout
    log = preloaded.run(["-m", "danlu", "watch-log", "first", "--json"], cwd=tmp_path)
    assert json.loads(log.stdout.splitlines()[0])["rule"] == "softmax-twice"
    report = RunFolder(tmp_path / "first").report.read_text(encoding="utf-8")
    assert f"train.py:{line}" in report


@pytest.mark.slow
def test_other_commands_refuse_such_a_run(tmp_path: Path) -> None:
    python(tmp_path, *RUN, "--folder", "first", script(tmp_path, ENDINGS["an exception in a training"][0]))
    for words in (
        ["resume", "first"],
        ["cure", "first"],
        ["predict", "first", "x.csv"],
        ["export", "first", "m.onnx"],
        ["package", "first"],
        ["fit", "first", "--epochs", "+2"],
    ):
        refused = python(tmp_path, "-m", "danlu", *words)
        assert (words, refused.code, "Traceback" in refused.err) == (words, 2, False), refused.err


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Run what?"),
        (["-m"], "Run what?"),
        (["trian.py"], 'Did you mean "train.py"?'),
        (["folder"], "is not a file"),
        (["--option", "train.py"], "--option"),
    ],
)
def test_a_mistake_is_told(words: list[str], said: str, tmp_path: Path) -> None:
    script(tmp_path, "print(1)")
    (tmp_path / "folder").mkdir()
    refused = preloaded.run([*RUN, *words], cwd=tmp_path)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not refused.stdout


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_following_ends_with_the_run_and_with_an_interrupt(tmp_path: Path) -> None:
    train = script(tmp_path, UNHEALTHY.replace("range(3)", "range(10**6)"))
    running = subprocess.Popen([sys.executable, *RUN, "--folder", "first", train], cwd=tmp_path, stderr=subprocess.PIPE)
    follow = [sys.executable, "-m", "danlu", "watch-log", "first", "--follow", "--json"]
    place = RunFolder(tmp_path / "first")
    try:
        _wait_for(place.recipe.is_file)
        _wait_for(FindingLog(place.journal).new)
        first = subprocess.Popen(follow, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        second = subprocess.Popen(follow, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert first.stdout is not None
        assert json.loads(first.stdout.readline())["rule"] == "softmax-twice"
        first.send_signal(signal.SIGINT)
        _, told = first.communicate(timeout=60)
        assert (first.returncode, told) == (0, "")
    finally:
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=120)
    assert running.returncode == -signal.SIGINT
    assert b"KeyboardInterrupt" in err
    assert b"report first" in err
    out, told = second.communicate(timeout=60)
    assert (second.returncode, told) == (0, "")
    assert json.loads(out.partition("\n")[0])["rule"] == "softmax-twice"


def _wait_for(ready: object, seconds: float = 120.0) -> None:
    assert callable(ready)
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until
        time.sleep(0.05)
