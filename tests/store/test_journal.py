import errno
import json
import math
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.base.errors import StorageError, UserError
from danlu.base.words import use_language
from danlu.store import journal as journal_module
from danlu.store.journal import Follower, Journal, read


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def append(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


def test_records_come_back(path: Path) -> None:
    records: list[dict[str, Any]] = [{"kind": "note", "loss": [1.5, 2], "名": "丹炉\n"}, {"kind": "start"}]
    with Journal(path) as journal:
        for record in records:
            journal.write(record)

    assert list(read(path)) == records
    assert path.read_bytes().count(b"\n") == 2


def test_numbers_not_finite_are_strict_json(path: Path) -> None:
    with Journal(path) as journal:
        journal.write({"loss": [math.nan, -math.inf]})

    assert json.loads(path.read_text(), parse_constant=pytest.fail) == {"loss": ["NaN", "-Infinity"]}


def test_records_wait_for_a_flush(path: Path) -> None:
    journal = Journal(path)
    journal.write({"a": 1})
    assert list(read(path)) == []
    journal.flush()
    assert list(read(path)) == [{"a": 1}]
    journal.write({"a": 2})
    journal.sync()
    assert len(list(read(path))) == 2
    journal.close()
    journal.close()


def test_sync_forces_to_the_disk_after_the_flush(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    journal.write({"a": 1})

    journal.sync()

    assert sizes == [len(b'{"a": 1}\n')]
    journal.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such lock")
def test_a_worker_that_outlives_a_killed_training_does_not_hold_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.write({"kind": "start"})
    forked = multiprocessing.get_context("fork")
    begun = forked.Event()
    worker = forked.Process(target=lambda: (begun.set(), time.sleep(60)))
    worker.start()
    try:
        assert begun.wait(60)
        os.close(journal._descriptor)  # what the system does when the training is killed
        with Journal(path) as again:
            again.write({"kind": "resume", "step": 0})
        assert list(read(path)) == [{"kind": "resume", "step": 0}], "the worker writes nothing of what it inherited"
    finally:
        worker.kill()
        worker.join()
        journal._descriptor = -1


def test_a_second_writer_is_refused_until_the_first_is_gone(path: Path) -> None:
    path.write_bytes(b'{"a": 1}\n{"a"')
    with Journal(path) as journal:
        with pytest.raises(UserError, match=rf"{path.parent}: this run is being trained by another process"):
            Journal(path)
        use_language("zh")
        with pytest.raises(UserError, match=rf"{path.parent}：另一个进程正在进行这次训练"):
            Journal(path)
        journal.write({"a": 3})
    with Journal(path) as journal:
        journal.write({"a": 4})
    assert list(read(path)) == [{"a": 1}, {"a": 3}, {"a": 4}]


HOLDER = """
import sys, time
from pathlib import Path
from danlu.store.journal import Journal
journal = Journal(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such lock")
def test_the_lock_of_a_killed_process_is_gone(path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="by another process"):
            Journal(path)
    finally:
        holder.kill()
        holder.communicate()
    Journal(path).close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such lock")
def test_a_file_system_without_locks_is_written_to_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr("fcntl.flock", refuse)
    with Journal(path) as journal:
        journal.write({"a": 1})
    assert list(read(path)) == [{"a": 1}]


def test_a_broken_last_line_is_ended_before_going_on(path: Path) -> None:
    append(path, b'{"a": 1}\n{"a": 2, "lo')
    with Journal(path) as journal:
        journal.write({"a": 3})

    records = read(path)
    assert list(records) == [{"a": 1}, {"a": 3}]
    assert records.skipped == 1
    assert path.read_bytes() == b'{"a": 1}\n{"a": 2, "lo\n{"a": 3}\n'


def test_a_last_line_that_lacks_only_its_end_counts(path: Path) -> None:
    append(path, b'{"a": 1}')
    assert list(read(path)) == [{"a": 1}]
    with Journal(path) as journal:
        journal.write({"a": 2})
    assert list(read(path)) == [{"a": 1}, {"a": 2}]


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 80), more=st.lists(st.dictionaries(st.text(max_size=3), st.integers()), max_size=3))
def test_a_kill_in_any_byte_costs_only_the_line_under_way(
    tmp_path_factory: pytest.TempPathFactory, cut: int, more: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    written = [{"step": step, "note": "炉" * step} for step in range(4)]
    with Journal(path) as journal:
        for record in written:
            journal.write(record)
    whole = path.read_bytes()[:cut]
    path.write_bytes(whole)

    with Journal(path) as journal:
        for record in more:
            journal.write(record)

    records = list(read(path))
    kept = len(records) - len(more)
    assert records == written[:kept] + more
    assert kept >= whole.count(b"\n")


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b"3", b"null", b"\x00" * 40, b"\xff\xfe", b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"]
)
def test_a_line_that_is_no_record_is_skipped_and_counted(path: Path, line: bytes) -> None:
    append(path, b'{"a": 1}\n' + line + b'\n\n{"a": 2}\n')

    records = read(path)

    assert list(records) == [{"a": 1}, {"a": 2}]
    assert records.skipped == 1


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_a_huge_line_is_skipped_without_being_held(path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(journal_module, "LONGEST_LINE", 50)
    monkeypatch.setattr(journal_module, "_CHUNK", chunk)
    longest = json.dumps({"a": "x" * (50 - len('{"a": ""}'))}).encode()
    append(path, longest + b"\n" + longest + b" \n" + b'{"b": "' + b"x" * 400 + b'"}\n{"a": 2}\n')

    records = read(path)

    assert list(records) == [json.loads(longest), {"a": 2}]
    assert records.skipped == 2


def test_a_journal_that_cannot_be_read_is_told(path: Path) -> None:
    with pytest.raises(UserError, match=r"journal\.jsonl: cannot be read"):
        list(read(path))
    use_language("zh")
    with pytest.raises(UserError, match="无法读取"):
        list(read(path))


def test_a_journal_in_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"journal\.jsonl: the disk refused to write"):
        Journal(tmp_path / "absent" / "journal.jsonl")


@pytest.mark.parametrize("written", [0, 3, 9, 15])
def test_a_full_disk_is_told_and_what_came_before_stays(
    path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    journal = Journal(path)
    journal.write({"a": 1})
    journal.write({"a": 2})
    write = os.write
    left = [written]

    def filling(descriptor: int, content: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(descriptor, content[: left[0]])
        left[0] -= done
        return done

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", filling)
        with pytest.raises(StorageError, match=r"journal\.jsonl: the disk is full"):
            journal.flush()
    assert len(list(read(path))) == (written + 1) // 9
    journal.close()  # there is room again: it goes on in mid-line
    records = read(path)
    assert list(records) == [{"a": 1}, {"a": 2}] and records.skipped == 0


def test_a_failing_fsync_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)

    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(StorageError, match=r"journal\.jsonl: the disk refused to write \(Input/output error\)"):
        journal.sync()
    monkeypatch.undo()
    journal.close()


def test_a_follower_sees_each_record_once(path: Path) -> None:
    follower = Follower(path)
    assert follower.new() == []
    with Journal(path) as journal:
        assert follower.new() == []
        for step in range(3):
            journal.write({"step": step})
            journal.flush()
            assert follower.new() == [{"step": step}]
            assert follower.new() == []
    assert follower.restarts == 0


def test_a_follower_waits_for_the_rest_of_a_line(path: Path) -> None:
    follower = Follower(path)
    found: list[dict[str, Any]] = []
    content = '{"名": "丹炉"}\n{"a": 2}\n'.encode()
    for position in range(len(content)):
        append(path, content[position : position + 1])
        found += follower.new()

    assert found == [{"名": "丹炉"}, {"a": 2}]


def test_a_follower_passes_over_a_line_broken_by_a_kill(path: Path) -> None:
    follower = Follower(path)
    append(path, b'{"a": 1}\n{"a": 2, "l')
    assert follower.new() == [{"a": 1}]
    with Journal(path) as journal:
        journal.write({"a": 3})
    assert follower.new() == [{"a": 3}]
    assert follower.restarts == 0


@pytest.mark.parametrize("later", [b'{"b": 1}\n', b'{"b": 1}\n' * 3, b'{"b": 1}\n' * 40])
@pytest.mark.parametrize("way", ["replaced", "rewritten", "missing between"])
def test_a_follower_starts_again_where_the_file_was_replaced(path: Path, later: bytes, way: str) -> None:
    follower = Follower(path)
    append(path, b'{"a": 1}\n' * 3)
    assert len(follower.new()) == 3

    if way == "replaced":
        other = path.with_name("other")
        other.write_bytes(later)
        os.replace(other, path)
    elif way == "rewritten":
        path.write_bytes(later)
    else:
        path.unlink()
        assert follower.new() == []
        path.write_bytes(later)

    assert follower.new() == [{"b": 1}] * later.count(b"\n")
    assert follower.restarts == 1
    append(path, b'{"b": 2}\n')
    assert follower.new() == [{"b": 2}]


def test_a_follower_of_what_cannot_be_read_tells(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        Follower(tmp_path).new()
