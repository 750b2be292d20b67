"""TensorBoard's event files: what is read of them, and that damaged ones are refused with the byte."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import event_files
from danlu.base.errors import UserError
from danlu.store.foreign.event_file import Events, read_events
from event_files import event, header, restart, scalar, tensor


def read(path: Path, content: bytes) -> dict[str, list[tuple[int, float]]]:
    path.write_bytes(content)
    events = Events()
    read_events(path, events)
    return {tag: [(one.step, one.value) for one in points] for tag, points in events.scalars.items()}


def test_scalars_of_both_kinds_are_read_and_other_values_are_not(tmp_path: Path) -> None:
    content = header()
    content += event(3, scalar("loss", 0.5), tensor("val/acc", 2, struct.pack("<d", 0.75)))
    content += event(4, tensor("count", 9, struct.pack("<q", -7)), tensor("text", 7, b"words"))
    content += event(5, tensor("row", 1, struct.pack("<ff", 1.0, 2.0)))
    assert read(tmp_path / "events", content) == {"loss": [(3, 0.5)], "val/acc": [(3, 0.75)], "count": [(4, -7.0)]}


def test_what_a_restart_does_over_is_void(tmp_path: Path) -> None:
    content = b"".join(event(step, scalar("loss", float(step))) for step in range(5))
    content += restart(3) + event(3, scalar("loss", 30.0))
    assert read(tmp_path / "events", content)["loss"] == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 30.0)]


@pytest.mark.parametrize("cut", [1, 5, 11, 13, 30])
def test_a_file_cut_short_is_refused_with_the_byte(cut: int, tmp_path: Path) -> None:
    first = event(1, scalar("loss", 1.0))
    content = first + event(2, scalar("loss", 2.0))
    with pytest.raises(UserError, match=f"cut short: the record at byte {len(first)} "):
        read(tmp_path / "events", content[: len(first) + cut])


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is empty"):
        read(tmp_path / "events", b"")


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    content = event(1, scalar("loss", 1.0)) + event(2, scalar("loss", 2.0))
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        with pytest.raises(UserError, match="damaged|cut short"):
            read(tmp_path / "events", bytes(damaged))


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_bytes_with_a_right_checksum_that_are_no_event_are_refused_or_read(content: bytes) -> None:
    events = Events()
    path = Path(__import__("tempfile").mkdtemp()) / "events"
    path.write_bytes(event_files.record(content))
    try:
        read_events(path, events)
    except UserError as error:
        assert error.faults[0].id == "imported.damaged"
    path.unlink()
    path.parent.rmdir()
