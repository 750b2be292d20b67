"""Event files of TensorBoard written by hand, so that reading them is tested without its library too."""

import struct

from danlu.store.foreign.event_file import _crc, _masked  # pyright: ignore[reportPrivateUsage]


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def block(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def record(content: bytes) -> bytes:
    head = struct.pack("<Q", len(content))
    check, whole = (struct.pack("<I", _masked(_crc(memoryview(part)))) for part in (head, content))
    return head + check + content + whole


def event(step: int, *values: bytes, time: float = 1000.0, session: bytes = b"") -> bytes:
    told = varint(1 << 3 | 1) + struct.pack("<d", time) + varint(2 << 3) + varint(step)
    told += block(5, b"".join(block(1, value) for value in values)) if values else b""
    return record(told + session)


def scalar(tag: str, value: float) -> bytes:
    return block(1, tag.encode()) + varint(2 << 3 | 5) + struct.pack("<f", value)


def tensor(tag: str, kind: int, content: bytes) -> bytes:
    """A value as TensorFlow 2 writes it: a tensor with its bytes."""
    return block(1, tag.encode()) + block(8, varint(1 << 3) + varint(kind) + block(4, content))


def restart(step: int) -> bytes:
    return event(step, session=block(7, varint(1 << 3) + varint(1)))


def header() -> bytes:
    return record(varint(1 << 3 | 1) + struct.pack("<d", 1.0) + block(3, b"brain.Event:2"))
