"""Notes beside a run: what may stand in them, and that they are whole whatever happens."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from danlu.base.errors import UserError
from danlu.store.notes import Notes


def test_some_are_changed_and_the_others_stay(tmp_path: Path) -> None:
    Notes.change(tmp_path, {"title": "the good one", "tags": ["paper"], "note": "# why\n*because*"})
    Notes.change(tmp_path, {"star": True})
    assert Notes.read(tmp_path) == Notes("the good one", ("paper",), True, "# why\n*because*", False)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.json"]


def test_what_a_newer_danlu_wrote_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text('{"colour": "red", "star": true}')
    Notes.change(tmp_path, {"title": "x"})
    assert json.loads((tmp_path / "notes.json").read_text()) == {"colour": "red", "star": True, "title": "x"}


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 101},
        {"title": "two\nlines"},
        {"title": "\u202egnp.exe"},
        {"title": " x"},
        {"title": 3},
        {"tags": "paper"},
        {"tags": ["a,b"]},
        {"tags": ["a", "a"]},
        {"tags": [""]},
        {"tags": ["x" * 41]},
        {"tags": [str(number) for number in range(31)]},
        {"star": 1},
        {"note": "x" * 20_001},
        {"note": "\x1b[31m"},
        {"archived": "yes"},
        {"journal": "../journal.jsonl"},
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="note|title|Title|Tags|star|archived"):
        Notes.change(tmp_path, {"star": True, **change})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"{broken", b"[1]", b"\xff\xfe", b'{"title": 3, "tags": [1], "star": "x"}'])
def test_a_damaged_file_is_read_as_none_and_never_overwritten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes.json").write_bytes(content)
    assert Notes.read(tmp_path) == Notes()
    if content.startswith(b'{"'):
        return
    with pytest.raises(UserError, match="is damaged"):
        Notes.change(tmp_path, {"star": True})
    assert (tmp_path / "notes.json").read_bytes() == content


def test_no_link_is_followed_out_of_the_folder(tmp_path: Path) -> None:
    """Neither to read nor to write: a run that somebody handed over may hold any."""
    outside, run = tmp_path / "outside.json", tmp_path / "run"
    outside.write_text('{"title": "secret"}')
    run.mkdir()
    (run / "notes.json").symlink_to(outside)
    assert Notes.read(run) == Notes()
    with pytest.raises(UserError, match="is damaged"):
        Notes.change(run, {"star": True})
    (run / "notes.json").unlink()
    (run / ".tmp-notes.json").symlink_to(outside)
    Notes.change(run, {"star": True})
    assert outside.read_text() == '{"title": "secret"}'
    assert Notes.read(run).star


WRITER = """
import sys
from pathlib import Path
from danlu.store.notes import Notes
folder, number = Path(sys.argv[1]), 0
while True:
    number += 1
    Notes.change(folder, {"title": str(number), "note": (str(number) * 4000)[:16000]})
    print(number, flush=True)
"""


def test_notes_survive_kill_9(tmp_path: Path) -> None:
    """After each kill the file is whole, and holds at least the last change that was confirmed."""
    for seconds in (0.03, 0.1, 0.2):
        command = [sys.executable, "-c", WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(seconds)
            writer.send_signal(signal.SIGKILL)
            confirmed = [first, *writer.stdout.read().splitlines(keepends=True)]
        found = Notes.read(tmp_path)
        assert int(found.title) >= max(int(line) for line in confirmed if line.endswith("\n"))
        assert found.note == (found.title * 4000)[:16_000]
