"""Folders of pictures: every format and mode, damaged, huge, hidden, linked, doubled."""

import io
import os
import random
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy

from attack.inputs.case import Case
from attack.inputs.truth import whole
from danlu.data import load

FAMILY = "pictures"
EACH = 12
FORMATS = {"png": "PNG", "jpg": "JPEG", "bmp": "BMP", "gif": "GIF", "webp": "WEBP", "tiff": "TIFF", "ppm": "PPM",
           "JPEG": "JPEG", "PNG": "PNG", "tif": "TIFF", "ico": "ICO", "jp2": "JPEG2000", "tga": "TGA"}  # fmt: skip
MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "LAB", "I", "I;16", "F"]


def pixels(key: Any, side: int = 8, top: int = 256) -> Any:
    return numpy.random.default_rng(zlib.crc32(repr(key).encode())).integers(0, top, (side, side, 3), dtype="uint8")


def picture(key: Any, side: int = 8) -> Any:
    import PIL.Image

    return PIL.Image.fromarray(pixels(key, side))


def encoded(image: Any, form: str = "PNG", **options: Any) -> bytes:
    held = io.BytesIO()
    image.save(held, form, **options)
    return held.getvalue()


def folder(place: Path, classes: Sequence[str] = ("cat", "dog"), each: int = EACH) -> Path:
    """A plain folder of PNGs, a folder for each class."""
    for name in classes:
        (place / "f" / name).mkdir(parents=True)
        for number in range(each):
            (place / "f" / name / f"{number}.png").write_bytes(encoded(picture((name, number))))
    return place / "f"


def seen(source: Path, wanted: dict[str, int], means: dict[str, list[float]] | None = None) -> list[str]:
    """What was changed unsaid: pictures of each class that are not there (unless a note tells of some), or not as
    bright as they were written.
    """
    data = load(source, validation=0, test=0, standardise=False)
    x, y = whole(data, max(1, sum(data.sizes.values())))
    labels = [str(label) for label in data.decode(y)] if data.classes else []
    told = " ".join(str(note) for note in data.notes)
    changes: list[str] = []
    for name, count in wanted.items():
        found = labels.count(name)
        if found != count and not told:
            changes.append(f"class {name}: {count} pictures became {found}")
    if means and not changes and not told:
        for name, values in means.items():
            got = sorted(x[[label == name for label in labels]].mean((1, 2, 3)).tolist())
            if not numpy.allclose(got, sorted(values), atol=2 / 255):
                changes.append(f"class {name}: brightness {sorted(values)[:2]} became {got[:2]}")
    return changes


def of_format(ending: str, form: str) -> Case:
    def act(place: Path) -> list[str]:
        source = folder(place, ("cat", "dog"))
        (source / "bird").mkdir()
        means: list[float] = []
        for number in range(EACH):
            image = picture(("bird", number))
            content = encoded(image, form, **({"quality": 100, "lossless": True} if form == "WEBP" else {}))
            (source / "bird" / f"{number}.{ending}").write_bytes(content)
            means.append(float(numpy.asarray(image).mean()) / 255)
        lossy = form in ("JPEG", "GIF", "JPEG2000", "ICO")
        return seen(source, {"cat": EACH, "dog": EACH, "bird": EACH}, None if lossy else {"bird": means})

    return Case(FAMILY, f"a class of .{ending}", act)


def of_mode(mode: str, form: str) -> Case:
    def act(place: Path) -> list[str]:
        import PIL.Image

        source = place / "f"
        for name in ("cat", "dog"):
            (source / name).mkdir(parents=True)
            for number in range(EACH):
                if mode in ("I;16", "I"):
                    wide = (
                        numpy.random.default_rng(number)
                        .integers(0, 200, (8, 8))
                        .astype("uint16" if mode == "I;16" else "int32")
                    )
                    image = PIL.Image.fromarray(wide)
                else:
                    image = picture((name, number))
                    image = (
                        image.convert("RGBA").convert(mode)
                        if mode in ("PA", "LA")
                        else image.convert(mode)
                        if mode != "PA"
                        else image
                    )
                try:
                    content = encoded(image, form)
                except (OSError, ValueError, KeyError):
                    content = encoded(picture((name, number)))  # this format has no such mode
                (source / name / f"{number}.{'png' if form == 'PNG' else 'tiff'}").write_bytes(content)
        return seen(source, {"cat": EACH, "dog": EACH})

    return Case(FAMILY, f"mode {mode} as {form}", act)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, data: bytes) -> bytes:
    """A PNG whose header says this size, whatever its data hold."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def animated(form: str) -> bytes:
    frames = [picture(("frame", number)) for number in range(4)]
    return encoded(frames[0], form, save_all=True, append_images=frames[1:])


GOOD = ("good", 0)
BAD: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one byte": lambda: b"\x89",
    "text": lambda: b"not a picture",
    "cut in half": lambda: encoded(picture(GOOD, 32))[:600],
    "cut JPEG": lambda: encoded(picture(GOOD, 64), "JPEG")[:700],
    "flipped bytes": lambda: bytes(byte ^ (0x55 if place > 60 and place % 9 == 0 else 0) for place, byte in enumerate(encoded(picture(GOOD, 16)))),
    "a bomb by its header": lambda: png_of(60_000, 60_000, zlib.compress(b"x")),
    "a bomb": lambda: png_of(20_000, 20_000, zlib.compress(bytes(20_000 * 60_001 // 20), 9)),
    "width 0": lambda: png_of(0, 8, zlib.compress(b"")),
    "width 2^31": lambda: png_of(2**31 - 1, 1, zlib.compress(b"")),
    "one pixel": lambda: encoded(picture(GOOD, 1)),
    "another size": lambda: encoded(picture(GOOD, 17)),
    "very wide": lambda: encoded(picture(GOOD).resize((4000, 1))),
    "animated GIF": lambda: animated("GIF"),
    "animated PNG": lambda: animated("PNG"),
    "animated WebP": lambda: animated("WEBP"),
    "TIFF of two pages": lambda: animated("TIFF"),
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "HTML": lambda: b"<html>404</html>",
    "a PDF": lambda: b"%PDF-1.4\n" + bytes(500),
    "a broken EXIF": lambda: encoded(picture(GOOD), "JPEG", exif=b"Exif\0\0" + b"\xff" * 90),
    "turned by EXIF": lambda: encoded(picture(GOOD), "JPEG", exif=_turned()),
    "a text chunk of 1 MB": lambda: encoded(picture(GOOD))[:33] + chunk(b"tEXt", b"a\0" + b"x" * 2**20) + encoded(picture(GOOD))[33:],
    "a compressed text bomb": lambda: encoded(picture(GOOD))[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80 * 2**20), 9)) + encoded(picture(GOOD))[33:],
    "random bytes": lambda: random.Random(1).randbytes(3000),
}  # fmt: skip


def _turned() -> bytes:
    import PIL.Image

    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


def with_bad(name: str, content: Callable[[], bytes], ending: str) -> Case:
    def act(place: Path) -> list[str]:
        source = folder(place)
        (source / "cat" / f"odd.{ending}").write_bytes(content())
        return seen(source, {"cat": EACH + 1, "dog": EACH})

    return Case(FAMILY, f"one is {name} (.{ending})", act)


def _linked(source: Path) -> None:
    (source / "cat" / "circle").symlink_to(source)
    (source / "cat" / "gone.png").symlink_to(source / "nowhere.png")


def _copies(source: Path) -> None:
    for number in range(4):
        (source / "dog" / f"copy{number}.png").write_bytes((source / "cat" / f"{number}.png").read_bytes())


def _parts(*names: str) -> Callable[[Path], None]:
    def spread(source: Path) -> None:
        kept = [(path.parent.name, path.name, path.read_bytes()) for path in sorted(source.rglob("*.png"))]
        for folder_name in ("cat", "dog"):
            for path in (source / folder_name).iterdir():
                path.unlink()
            (source / folder_name).rmdir()
        for number, (label, name, content) in enumerate(kept):
            part = names[number % len(names)]
            (source / part / label).mkdir(parents=True, exist_ok=True)
            (source / part / label / name).write_bytes(content)

    return spread


LAYOUTS: dict[str, Callable[[Path], Any]] = {
    "an empty class": lambda source: (source / "bird").mkdir(),
    "a class of other files": lambda source: ((source / "bird").mkdir(), (source / "bird" / "notes.txt").write_text("x")),
    "pictures beside the classes": lambda source: (source / "loose.png").write_bytes(encoded(picture(GOOD))),
    "hidden files": lambda source: (source / "cat" / ".hidden.png").write_bytes(encoded(picture(GOOD))),
    "Thumbs.db": lambda source: (source / "cat" / "Thumbs.db").write_bytes(bytes(100)),
    "__MACOSX": lambda source: ((source / "__MACOSX").mkdir(), (source / "__MACOSX" / "._0.png").write_bytes(b"x")),
    "a pipe": lambda source: os.mkfifo(source / "cat" / "pipe.png"),
    "a device": lambda source: (source / "cat" / "zero.png").symlink_to("/dev/zero"),
    "links in a circle": _linked,
    "copies in two classes": _copies,
    "train and test": _parts("train", "test"),
    "val and valid": _parts("train", "val", "valid"),
    "train and something": _parts("train", "extra"),
    "no train": _parts("test", "val"),
    "a class name with escapes": lambda source: (source / "dog").rename(source / "d\x1b[31mog"),
    "a class name with bytes": lambda source: (source / "dog").rename(os.fsdecode(os.fsencode(source) + b"/d\xff")),
    "a class name of 250 signs": lambda source: (source / "dog").rename(source / ("d" * 250)),
    "a class name with blanks": lambda source: (source / "dog").rename(source / " dog "),
    "a class name of script": lambda source: (source / "dog").rename(source / "<img src=x>"),
    "a class named train": lambda source: (source / "dog").rename(source / "train"),
    "deep below": lambda source: ((source / "a/b/c/d/e").mkdir(parents=True), (source / "dog").rename(source / "a/b/c/d/e/dog")),
    "one class": lambda source: _gone(source / "dog"),
    "no class": lambda source: (_gone(source / "dog"), _gone(source / "cat")),
    "one picture a class": lambda source: [path.unlink() for path in source.rglob("*.png") if path.stem != "0"],
    "may not be read": lambda source: (source / "cat" / "0.png").chmod(0),
    "a folder named .png": lambda source: (source / "cat" / "folder.png").mkdir(),
    "1,500 classes": lambda source: [_one(source / f"c{number}") for number in range(1500)],
}  # fmt: skip


def _gone(path: Path) -> None:
    for file in path.iterdir():
        file.unlink()
    path.rmdir()


def _one(path: Path) -> None:
    path.mkdir()
    for number in range(2):
        (path / f"{number}.png").write_bytes(encoded(picture((path.name, number), 2)))


def laid_out(name: str, change: Callable[[Path], Any]) -> Case:
    def act(place: Path) -> list[str]:
        source = folder(place)
        change(source)
        return seen(source, {})

    return Case(FAMILY, f"layout: {name}", act)


def cases() -> Iterator[Case]:
    for ending, form in FORMATS.items():
        yield of_format(ending, form)
    for mode in MODES:
        for form in ("PNG", "TIFF"):
            yield of_mode(mode, form)
    for name, content in BAD.items():
        for ending in ("png", "jpg"):
            yield with_bad(name, content, ending)
    for name, change in LAYOUTS.items():
        yield laid_out(name, change)
