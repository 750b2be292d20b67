"""TensorBoard's event files, read without its library: framed records, of which only the scalars are looked at.

The frames are TFRecords (length, checksum, bytes, checksum), the bytes are the protocol buffer tensorflow.Event:
https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from danlu.base.errors import fail
from danlu.base.input_files import read_file
from danlu.store.foreign.series import Point

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_HEAD, _CHECK = 12, 4
_CHECKED = 2**16  # bytes of a record: longer ones hold no scalar
_STARTED = 1  # SessionLog.START: what was told from that step on is void
_NUMBERS = {1: "<f", 2: "<d", 3: "<i", 9: "<q"}  # tensorflow.DataType
_VALUES = {5: 1, 6: 2, 7: 3, 10: 9}  # fields of TensorProto, and the type whose values each holds


@dataclass
class Events:
    """The scalars of one file by tag, in the order in which they stand."""

    scalars: dict[str, list[Point]] = field(default_factory=dict[str, list[Point]])

    def drop_from(self, step: int) -> None:
        """Take out what was told of that step and later ones."""
        self.scalars = {tag: [one for one in points if one.step < step] for tag, points in self.scalars.items()}


def read_events(path: Path, events: Events) -> None:
    """Add the scalars of the file to `events`. UserError, naming the byte, where it is damaged or cut short."""
    content = read_file(path)
    for start, record in _records(content, path):
        try:
            _take(record, events)
        except (_MalformedError, struct.error, UnicodeDecodeError):
            fail("imported.damaged", path=path, byte=f"{start:,}")


class _MalformedError(ValueError):
    """Bytes that are no protocol buffer."""


def _records(content: bytes, path: Path) -> Iterator[tuple[int, memoryview]]:
    view, at = memoryview(content), 0
    if not content:
        fail("imported.empty", path=path)
    while at < len(view):
        if at + _HEAD > len(view):
            fail("imported.cut", path=path, byte=f"{at:,}")
        length, check = struct.unpack_from("<QI", view, at)
        if _masked(_crc(view[at : at + 8])) != check:
            fail("imported.damaged", path=path, byte=f"{at:,}")
        begin = at + _HEAD
        if begin + length + _CHECK > len(view):
            fail("imported.cut", path=path, byte=f"{at:,}")
        record = view[begin : begin + length]
        if length <= _CHECKED:
            (check,) = struct.unpack_from("<I", view, begin + length)
            if _masked(_crc(record)) != check:
                fail("imported.damaged", path=path, byte=f"{at:,}")
            yield at, record
        at = begin + length + _CHECK


def _take(record: memoryview, events: Events) -> None:
    time, step, status, values = 0.0, 0, 0, list[memoryview]()
    for number, kind, value in _fields(record):
        if (number, kind) == (1, _FIXED64):
            (time,) = struct.unpack("<d", value)
        elif (number, kind) == (2, _VARINT):
            step = value
        elif (number, kind) == (5, _BYTES):
            values += [inside for one, of, inside in _fields(value) if (one, of) == (1, _BYTES)]
        elif (number, kind) == (7, _BYTES):
            status = next((inside for one, of, inside in _fields(value) if (one, of) == (1, _VARINT)), 0)
    if step >= 2**63:
        raise _MalformedError
    if status == _STARTED:
        events.drop_from(step)
    for value in values:
        _take_value(value, step, time, events)


def _take_value(view: memoryview, step: int, time: float, events: Events) -> None:
    tag, found = "", None
    for number, kind, value in _fields(view):
        if (number, kind) == (1, _BYTES):
            tag = bytes(value).decode()
        elif (number, kind) == (2, _FIXED32):
            (found,) = struct.unpack("<f", value)
        elif (number, kind) == (8, _BYTES):
            found = _scalar(value)
    if found is not None and tag:
        when = time if math.isfinite(time) and time > 0 else None
        events.scalars.setdefault(tag, []).append(Point(step, float(found), when))


def _scalar(view: memoryview) -> float | None:
    """The number in a TensorProto of one number; None for any other tensor."""
    kind, content = 0, b""
    for number, wire, value in _fields(view):
        if (number, wire) == (1, _VARINT):
            kind = value
        elif (
            (number, wire) == (4, _BYTES)
            or (number in _VALUES and wire in (_FIXED32, _FIXED64))
            or (number in _VALUES and wire == _BYTES and _VALUES[number] in (1, 2))
        ):
            content = bytes(value)
        elif number in _VALUES and wire == _VARINT:
            content = struct.pack(_NUMBERS[_VALUES[number]], value if value < 2**31 else value - 2**64)
    form = _NUMBERS.get(kind)
    if form is None or len(content) != struct.calcsize(form):
        return None
    return float(struct.unpack(form, content)[0])


def _fields(view: memoryview) -> Iterator[tuple[int, int, Any]]:
    """Number, wire type and value of each field of a protocol buffer."""
    at = 0
    while at < len(view):
        key, at = _varint(view, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(view, at)
            yield number, kind, value
            continue
        length = {_FIXED64: 8, _FIXED32: 4}.get(kind)
        if kind == _BYTES:
            length, at = _varint(view, at)
        if length is None or at + length > len(view):
            raise _MalformedError
        yield number, kind, view[at : at + length]
        at += length


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(view) and shift < 70:
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value & (2**64 - 1), at
    raise _MalformedError


def _table() -> list[int]:
    """Of CRC-32C (Castagnoli), bits reflected."""
    table: list[int] = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)  # noqa: PLW2901 - shifted bit by bit
        table.append(byte)
    return table


_CRC = _table()


def _crc(view: memoryview) -> int:
    """CRC-32C of the bytes.

    >>> hex(_crc(memoryview(b"123456789")))
    '0xe3069283'
    """
    crc, table = 0xFFFFFFFF, _CRC
    for byte in view:
        crc = crc >> 8 ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _masked(crc: int) -> int:
    """A checksum as TFRecords keep it."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
