"""The fonts of a sheet, read by Pillow alone: which of them has a sign, and how wide words are."""

import functools
import importlib.util
import itertools
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.base.places import font_folders

DOTS_PER_INCH = 150
_POINTS = 72.0
# File names of fonts that have Chinese signs, those that read best first.
_CHINESE_FONTS = (
    "notosanscjk", "notosanssc", "sourcehansans", "pingfang", "msyh", "hiraginosansgb", "wqy-microhei", "wqy-zenhei",
    "stheiti", "simhei", "droidsansfallback", "arialunicode", "simsun",
)  # fmt: skip
_FONT_FILES = (".ttf", ".ttc", ".otf")
_PROBED = 20  # pixels high is a sign that is looked for in a font
_MISSING = "\uffff"  # no font has it


@dataclass(frozen=True)
class Fonts:
    """What words are set in: the first of the files that has a sign."""

    regular: tuple[str, ...]
    bold: tuple[str, ...]

    def runs(self, text: str, *, bold: bool = False) -> Iterator[tuple[str, str]]:
        """The text in pieces, each with the file it is set in."""
        files = self.bold if bold else self.regular
        if len(files) == 1:
            yield files[0], text
            return
        for file, signs in itertools.groupby(text, lambda sign: _file_with(sign, files) or files[0]):
            yield file, "".join(signs)

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """How many inches wide a line of words is, of `size` points."""
        return sum(face(file, size).getlength(run) for file, run in self.runs(text, bold=bold)) / DOTS_PER_INCH

    def writable(self, text: str) -> str:
        """The text with "?" for each sign that no file has, and without what is never seen."""
        if text.isascii():
            return text
        seen = (sign for sign in text if unicodedata.category(sign) != "Cf" and not "\ufe00" <= sign <= "\ufe0f")
        return "".join(sign if sign.isascii() or _file_with(sign, self.regular) else "?" for sign in seen)


def fonts_for(texts: Iterable[str]) -> Fonts:
    """The fonts of a sheet on which `texts` stand. Beside Chinese signs all words are of their font, which often has no
    bold: one weight in a line, not two."""
    chinese = chinese_font_file() if has_chinese(texts) else None
    own, bold = (str(_own_fonts() / name) for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"))
    return Fonts((chinese, own), (chinese, own)) if chinese else Fonts((own,), (bold,))


def has_chinese(texts: Iterable[str]) -> bool:
    """Whether any of `texts` has signs that only a Chinese font holds.

    >>> has_chinese(["loss", "损失"])
    True
    """
    return any("\u2e80" <= sign <= "\uffef" for text in texts for sign in text)


@functools.cache
def chinese_font_file() -> str | None:
    """The file of a font with Chinese signs on this machine; None where there is none."""
    found = [
        path for folder in font_folders() for path in sorted(folder.rglob("*")) if path.suffix.lower() in _FONT_FILES
    ]
    return best_chinese(map(str, found))


def best_chinese(files: Iterable[str]) -> str | None:
    """The one of these files that reads best.

    >>> best_chinese(["/a/simhei.ttf", "/a/NotoSansCJK-Bold.ttc", "/b/NotoSansCJK-Regular.ttc"])
    '/b/NotoSansCJK-Regular.ttc'
    """
    names = sorted((Path(file).name.lower().replace("_", "-"), file) for file in files)
    fit = (file for wanted in _CHINESE_FONTS for name, file in names if name.startswith(wanted) and "bold" not in name)
    return next(fit, None)


@functools.cache
def _own_fonts() -> Path:
    """The folder of the fonts that come with matplotlib, which need not be loaded for that."""
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("No module named 'matplotlib'")
    return Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"


@functools.cache
def face(file: str, size: float) -> Any:
    """A font of Pillow's, `size` points high."""
    from PIL import ImageFont

    return ImageFont.truetype(file, size * DOTS_PER_INCH / _POINTS, layout_engine=ImageFont.Layout.BASIC)


@functools.cache
def _file_with(sign: str, files: tuple[str, ...]) -> str | None:
    return next((file for file in files if _has(file, sign)), None)


def _has(file: str, sign: str) -> bool:
    """Whether a font has a sign: it looks other than one that no font has."""
    return _look(file, sign) != _look(file, _MISSING)


def _look(file: str, sign: str) -> tuple[Any, bytes]:
    font = face(file, _PROBED * _POINTS / DOTS_PER_INCH)
    mask = font.getmask(sign)
    return (mask.size, font.getlength(sign)), bytes(mask)
