"""Every example runs, in small, and tells a score, a baseline beside it, and answers to new samples."""

import os
import re
from pathlib import Path

import pytest

import preloaded
from danlu.base.places import DATA_VARIABLE

FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py"))
MOST_LINES = 40
NEEDS_DATA: dict[str, tuple[str, ...]] = {"tagging": (), "language": (), "forecast": ("airline-passengers.csv",)}


@pytest.mark.every(16)
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name not in NEEDS_DATA])
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    told = run(name, tmp_path)
    assert re.search(r"^\S+ \d+\.\d+", told, re.MULTILINE), told
    assert re.search(r"^baseline \d+\.\d+", told, re.MULTILINE), told


@pytest.mark.every(2)
@pytest.mark.parametrize("name", NEEDS_DATA)
def test_an_example_with_data_that_no_library_brings_runs(name: str, tmp_path: Path, data_root: Path) -> None:
    files = [str(data_root / file) for file in NEEDS_DATA[name]]
    told = run(name, tmp_path, *files, **{DATA_VARIABLE: str(data_root)})
    assert re.search(r"^baseline \d+\.\d+", told, re.MULTILINE), told


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_short_and_says_what_it_shows(name: str) -> None:
    lines = (FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST_LINES
    assert lines[0].startswith('"""')


def run(name: str, folder: Path, *words: str, **more: str) -> str:
    """What the example prints after one epoch."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DANLU_LANG": "en", **more}
    done = preloaded.run([str(FOLDER / f"{name}.py"), "1", *words], env=environment, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
