"""Texts, weights files, and files that are none: pipes, sockets, devices, bombs, archives that lie."""

import gzip
import io
import json
import os
import pickle
import socket
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import torch

import danlu
from attack.inputs.case import Case
from attack.inputs.tables import PLAIN
from danlu.data import load

TEXTS, WEIGHTS, SPECIAL = "texts", "weights", "files and archives"
PROSE = "the quick brown fox jumps over the lazy dog. " * 60

CONTENTS: dict[str, Callable[[], bytes]] = {
    "plain": PROSE.encode,
    "Chinese": lambda: ("道可道，非常道。名可名，非常名。" * 60).encode(),
    "GBK": lambda: ("道可道，非常道。名可名，非常名。" * 60).encode("gbk"),
    "Big5": lambda: ("道可道，非常道。名可名，非常名。" * 60).encode("big5"),
    "UTF-16": lambda: PROSE.encode("utf-16"),
    "UTF-16 without a mark": lambda: PROSE.encode("utf-16-le"),
    "UTF-32": lambda: PROSE.encode("utf-32"),
    "with a mark": lambda: PROSE.encode("utf-8-sig"),
    "Latin-1": lambda: ("où est le café? " * 100).encode("latin-1"),
    "broken UTF-8": lambda: PROSE.encode() + b"\xff\xfe\xfd" * 9 + PROSE.encode(),
    "surrogates": lambda: (PROSE + "\ud800").encode("utf-8", "surrogatepass"),
    "zero bytes": lambda: PROSE.encode().replace(b"fox", b"f\0x"),
    "CR only": lambda: PROSE.replace(". ", ".\r").encode(),
    "CR LF": lambda: PROSE.replace(". ", ".\r\n").encode(),
    "emoji": lambda: ("👩‍👩‍👧‍👦🏳️‍🌈 e\u0301 " * 200).encode(),
    "right to left": lambda: ("שלום \u202eabc " * 200).encode(),
    "escapes": lambda: ("\x1b[31mred\x1b[0m " * 200).encode(),
    "one sign": lambda: b"a" * 5000,
    "one line of 2 MB": lambda: PROSE.replace(". ", " ").encode() * 800,
    "only blanks": lambda: b" \n\t" * 900,
    "nothing": lambda: b"",
    "one letter": lambda: b"a",
    "two words": lambda: b"a b",
    "random": lambda: os.urandom(5000),
    "gzip": lambda: gzip.compress(PROSE.encode()),
    "half a gzip": lambda: gzip.compress(PROSE.encode())[:-30],
}


def text(name: str, content: Callable[[], bytes], ending: str, **options: Any) -> Case:
    def act(place: Path) -> list[str]:
        path = place / f"t{ending}"
        path.write_bytes(content())
        data = load(path, validation=0, test=0, **options)
        if options.get("tokens") != "characters" or name not in (
            "plain",
            "Chinese",
            "GBK",
            "Big5",
            "UTF-16",
            "with a mark",
        ):
            return []
        wanted = PROSE if name in ("plain", "UTF-16", "with a mark") else "道可道，非常道。名可名，非常名。" * 60
        read = "".join(
            str(data.decode(row)) for x, _ in data.batches("train", 1, device=torch.device("cpu")) for row in x
        )
        return [] if read and wanted.startswith(read) else [f"read as {read[:60]!r}"]

    return Case(TEXTS, f"{name} as {ending} {options}", act)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, ("owned",))


def safe(tensors: dict[str, Any]) -> bytes:
    import safetensors.torch

    return safetensors.torch.save(tensors)


def torched(content: Any, **options: Any) -> bytes:
    held = io.BytesIO()
    torch.save(content, held, **options)
    return held.getvalue()


def header(entries: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """A safetensors file whose header says this."""
    content = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(content) if length is None else length) + content + data


W, B = torch.zeros(10, 64), torch.zeros(10)
GOOD = {"linear.weight": W, "linear.bias": B}
ENTRY = {"dtype": "F32", "shape": [10, 64], "data_offsets": [0, 2560]}
BYTES: dict[str, Callable[[], bytes]] = {
    "right": lambda: safe(GOOD),
    "nothing": lambda: b"",
    "8 bytes": lambda: bytes(8),
    "a header of 2^63": lambda: header({}, length=2**63),
    "a header of 2^40": lambda: header({}, length=2**40),
    "a header of nothing": lambda: header(b""),
    "a header of text": lambda: header(b"abc"),
    "a header nested deep": lambda: header(b"[" * 100_000),
    "offsets beyond the end": lambda: header({"linear.weight": {**ENTRY, "data_offsets": [0, 10**15]}}),
    "offsets below 0": lambda: header({"linear.weight": {**ENTRY, "data_offsets": [-8, 0]}}),
    "a shape of 2^62": lambda: header({"linear.weight": {**ENTRY, "shape": [2**62, 4]}}, bytes(2560)),
    "a type there is not": lambda: header({"linear.weight": {**ENTRY, "dtype": "F7"}}, bytes(2560)),
    "names twice": lambda: header(b'{"a": {"dtype":"F32","shape":[1],"data_offsets":[0,4]}, "a": {"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
    "cut": lambda: safe(GOOD)[:-100],
    "longer": lambda: safe(GOOD) + b"x",
    "NaN": lambda: safe({**GOOD, "linear.bias": B * float("nan")}),
    "infinity": lambda: safe({**GOOD, "linear.bias": B + float("inf")}),
    "1e39 in float64": lambda: safe({**GOOD, "linear.bias": B.double() + 1e39}),
    "bool": lambda: safe({**GOOD, "linear.bias": B > 0}),
    "int64": lambda: safe({**GOOD, "linear.bias": B.long()}),
    "complex": lambda: torched({**GOOD, "linear.bias": torch.complex(B, B)}),
    "float16": lambda: safe({name: tensor.half() for name, tensor in GOOD.items()}),
    "float8": lambda: safe({**GOOD, "linear.bias": B.to(torch.float8_e4m3fn)}),
    "float64": lambda: safe({name: tensor.double() for name, tensor in GOOD.items()}),
    "another shape": lambda: safe({**GOOD, "linear.weight": torch.zeros(10, 63)}),
    "one missing": lambda: safe({"linear.weight": W}),
    "one more": lambda: safe({**GOOD, "extra": B + 1}),
    "names in escapes": lambda: safe({"\x1b[31m": B}),
    "no tensors": lambda: safe({}),
    "torch": lambda: torched(GOOD),
    "torch of old": lambda: torched(GOOD, _use_new_zipfile_serialization=False),
    "torch in state_dict": lambda: torched({"state_dict": GOOD, "epoch": 3}),
    "torch of a module": lambda: torched(torch.nn.Linear(64, 10)),
    "torch of a number": lambda: torched(3),
    "torch of None": lambda: torched(None),
    "torch of a list": lambda: torched([W, B]),
    "torch of texts": lambda: torched({"linear.weight": "x"}),
    "torch sparse": lambda: torched({**GOOD, "linear.weight": W.to_sparse()}),
    "torch meta": lambda: torched({**GOOD, "linear.weight": W.to("meta")}),
    "torch quantised": lambda: torched({**GOOD, "linear.bias": torch.quantize_per_tensor(B, 0.1, 0, torch.qint8)}),
    "torch with code": lambda: torched({"linear.weight": Evil()}),
    "torch in a circle": lambda: torched(_circle()),
    "a pickle with code": lambda: pickle.dumps(Evil()),
    "a zip of nothing": lambda: b"PK\x05\x06" + bytes(18),
    "half a zip": lambda: torched(GOOD)[:900],
    "random": lambda: os.urandom(900),
    "numpy": lambda: _numpy(),
}  # fmt: skip


def _circle() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["state_dict"] = found
    return found


def _numpy() -> bytes:
    held = io.BytesIO()
    numpy.savez(held, **{name: tensor.numpy() for name, tensor in GOOD.items()})
    return held.getvalue()


def weights(name: str, content: Callable[[], bytes], ending: str) -> Case:
    def act(place: Path) -> list[str]:
        path = place / f"w{ending}"
        path.write_bytes(content())
        options = {"epochs": 1, "folder": place / "run", "progress": False, "net.weights": str(path)}
        try:
            run = danlu.fit("softmax-regression", "digits", **options)
        finally:
            if (place / "owned").exists():
                raise AssertionError("code in a file of weights was run")
        return [] if run.finished else ["the run did not finish"]

    return Case(WEIGHTS, f"{name} as {ending}", act)


def _socket(path: Path) -> None:
    held = socket.socket(socket.AF_UNIX)
    held.bind(str(path))


def _bomb(path: Path) -> None:
    with gzip.open(path, "wb") as file:
        for _ in range(80):
            file.write(bytes(2**20))


def _zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", bytes(80 * 2**20))


def _zip_many(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(3000):
            archive.writestr(f"t{number}.csv", "a,y\n")


def _zip_outside(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../owned.csv", PLAIN)


def _zip_locked(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.csv", PLAIN)
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(content))


def _tar_link(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("t.csv")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)


def _tar_device(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        entry = tarfile.TarInfo("t.csv")
        entry.type = tarfile.FIFOTYPE
        archive.addfile(entry)


def _tar_lies(path: Path) -> None:
    entry = tarfile.TarInfo("t.csv")
    entry.size = 10**12
    path.write_bytes(entry.tobuf())


def _locked(path: Path) -> None:
    path.write_text(PLAIN)
    path.chmod(0)


def _circular(path: Path) -> None:
    path.symlink_to(path)


MAKERS: dict[str, Callable[[Path], Any]] = {
    "a pipe": os.mkfifo,
    "a socket": _socket,
    "/dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "/dev/null": lambda path: path.symlink_to("/dev/null"),
    "/dev/full": lambda path: path.symlink_to("/dev/full"),
    "/dev/tty": lambda path: path.symlink_to("/dev/tty"),
    "/dev/stdin": lambda path: path.symlink_to("/dev/stdin"),
    "/proc/self/mem": lambda path: path.symlink_to("/proc/self/mem"),
    "/proc/self/maps": lambda path: path.symlink_to("/proc/self/maps"),
    "a folder": lambda path: path.mkdir(),
    "a link to itself": _circular,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a file that may not be read": _locked,
    "20 GB of nothing": lambda path: os.close(_sparse(path)),
    "a gzip bomb": _bomb,
    "a zip bomb": _zip_bomb,
    "a zip of 3,000": _zip_many,
    "a zip that climbs": _zip_outside,
    "a zip with a password": _zip_locked,
    "a tar with a link": _tar_link,
    "a tar with a pipe": _tar_device,
    "a tar that lies": _tar_lies,
}


def _sparse(path: Path) -> int:
    opened = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.ftruncate(opened, 20 * 2**30)
    return opened


READERS: dict[str, tuple[str, Callable[[Path, Path], Any]]] = {
    "a table": (".csv", lambda path, place: load(path, target="label")),
    "a packed table": (".csv.gz", lambda path, place: load(path, target="label")),
    "a Parquet file": (".parquet", lambda path, place: load(path, target="label")),
    "a zip": (".zip", lambda path, place: load(path, target="label")),
    "a tar": (".tar.gz", lambda path, place: load(path, target="label")),
    "a text": (".txt", lambda path, place: load(path)),
    "a recipe": (".toml", lambda path, place: danlu.fit(recipe=path, folder=place / "run", progress=False, epochs=1)),
    "weights": (".safetensors", lambda path, place: danlu.fit("softmax-regression", "digits", folder=place / "run", progress=False, epochs=1, **{"net.weights": str(path)})),
    "torch's weights": (".pt", lambda path, place: danlu.fit("softmax-regression", "digits", folder=place / "run", progress=False, epochs=1, **{"net.weights": str(path)})),
    "a folder of a run": ("", lambda path, place: danlu.resume(path, progress=False)),
}  # fmt: skip


def special(name: str, make: Callable[[Path], Any], reader: str) -> Case:
    ending, read = READERS[reader]

    def act(place: Path) -> list[str]:
        path = place / f"t{ending}"
        make(path)
        read(path, place)
        return []

    return Case(SPECIAL, f"{name} as {reader}", act)


def cases() -> Iterator[Case]:
    for name, content in CONTENTS.items():
        yield text(name, content, ".txt")
        yield text(name, content, ".txt", tokens="characters", steps=3)
        yield text(name, content, ".txt.gz")
    for name, made in BYTES.items():
        yield weights(name, made, ".safetensors")
        yield weights(name, made, ".pt")
    for name, make in MAKERS.items():
        for reader in READERS:
            yield special(name, make, reader)
