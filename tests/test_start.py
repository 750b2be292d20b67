"""What trains nothing waits for nothing: each command in a process of its own, and what that has imported at its end.

Nothing is timed here; benchmarks/bench_start.py does that.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from danlu.cli.parser import VERBS

FOLDERS = Path(__file__).parent / "store" / "folders" / "0.2"
# torch takes seconds to import, and each of the others as long as all that these commands do.
HEAVY = ("torch", "scipy", "sklearn", "matplotlib", "polars", "pydantic", "torchmetrics", "pooch", "joblib", "onnx")
PROGRAM = """
import sys
from danlu.cli.main import main
code = main()
print(code, *sys.modules, file=sys.stderr)
"""

COMMANDS = [
    ("",),
    ("--help",),
    ("--help", "--lang", "zh"),
    ("--version",),
    *((verb, "--help") for verb in VERBS),
    ("show", str(FOLDERS / "run")),
    ("show", str(FOLDERS / "run"), "--json"),
    ("show", str(FOLDERS / "search")),
    ("data",),
    ("data", "data.root=nowhere", "--json"),
    ("nets",),
    ("rules",),
    ("rules", "dead-relu", "--lang", "zh"),
    ("exercise", "--list"),
    ("nets", "--lang", "zh", "--json"),
    ("runs", str(FOLDERS)),  # looked up as the dashboard does
]
# A study's intervals are computed when it is looked at, with numpy and the distributions of scipy.special.
COUNTING = [("show", str(FOLDERS / "study")), ("show", str(FOLDERS / "cure"))]
MISTAKES = [("fitt",), ("show", "nowhere"), ("nets", "--jason"), ("data", "train.epochs=3")]


def loaded_by(words: tuple[str, ...], folder: Path) -> tuple[int, set[str]]:
    """The exit code of a command line, and the libraries that had been imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *filter(None, words)],
        cwd=folder,
        env=os.environ | {"DANLU_DATA": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    code, *modules = done.stderr.splitlines()[-1].split()
    return int(code), {module.partition(".")[0] for module in modules}


@pytest.mark.every(6)
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_that_trains_nothing_imports_nothing_that_takes_long(words: tuple[str, ...], tmp_path: Path) -> None:
    code, loaded = loaded_by(words, tmp_path)
    assert code == 0
    assert "danlu" in loaded
    assert not loaded & {*HEAVY, "numpy"} - ({"numpy"} if words[0] in ("show", "runs") else set[str]())


@pytest.mark.every(2)
@pytest.mark.parametrize("words", COUNTING, ids=" ".join)
def test_a_study_is_shown_without_torch(words: tuple[str, ...], tmp_path: Path) -> None:
    code, loaded = loaded_by(words, tmp_path)
    assert code == 0
    assert loaded & {*HEAVY} == {"scipy"}


@pytest.mark.every(2)
@pytest.mark.parametrize("words", MISTAKES, ids=" ".join)
def test_a_mistake_is_told_as_fast(words: tuple[str, ...], tmp_path: Path) -> None:
    code, loaded = loaded_by(words, tmp_path)
    assert code == 2
    assert not loaded & {*HEAVY, "numpy"}


def test_importing_danlu_imports_no_torch(tmp_path: Path) -> None:
    program = "import sys, danlu; danlu.Recipe(optim={'lr': 0.1}); danlu.nets.names(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert not {module.partition(".")[0] for module in done.stdout.split()} & {*HEAVY, "numpy"}
