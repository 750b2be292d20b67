"""Bytes into text: UTF-8 first, then what their pattern shows, and the user's word above all."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from danlu.base.errors import fail, nearest

USUAL = "utf-8"
KNOWN = ("utf-8", "utf-16", "gb18030", "gbk", "big5", "cp1252", "latin-1", "shift_jis", "euc-kr", "cp1251")
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like UTF-16's mark, so it is asked for before it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
# So many bytes are enough to tell an encoding by.
SAMPLE_BYTES = 2**16
# Share of the characters that must be common ones, for an encoding to be taken.
SURE = 0.7
# First bytes of the characters that are common in each double-byte encoding, and its punctuation.
GB_COMMON = {*range(0xA1, 0xA4), *range(0xB0, 0xD8)}
BIG5_COMMON = {*range(0xA1, 0xC7)}
# In text of Western Europe these stand alone between plain letters.
WESTERN = "€£¥§©«»®°±²³´µ·ºª‘’“”–—…™ŠšŽžŒœŸßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿ¿¡¼½¾\xa0"


class Decoded(NamedTuple):
    """A text without byte order mark, and the encoding that it was read in: "utf-8" where nothing needs to be said."""

    text: str
    encoding: str


def decode(content: bytes, path: Path | str, encoding: str | None = None) -> Decoded:
    """The text that the bytes of the file `path` stand for.

    `encoding` is what the user said; without it a byte order mark decides, then UTF-8 where the bytes are valid, then
    the pattern of the bytes. Raises UserError where the bytes are no text, or not in that encoding.

    >>> decode("身高,体重".encode("gbk"), "t.csv")
    Decoded(text='身高,体重', encoding='gb18030')
    """
    if encoding is not None:
        return Decoded(_in(content, path, encoding).removeprefix("\ufeff"), encoding)
    for mark, marked in MARKS:
        if content.startswith(mark):
            return Decoded(_in(content, path, marked), USUAL if marked == "utf-8-sig" else marked)
    try:
        return Decoded(_without_zeros(content.decode(USUAL), path), USUAL)
    except UnicodeDecodeError as error:
        first = error.start
    found = detect(content)
    if found is None:
        fail("files.not-text", path=path, line=content.count(b"\n", 0, first) + 1, byte=f"0x{content[first]:02x}")
    return Decoded(_in(content, path, found), found)


def is_marked_or_usual(content: bytes) -> bool:
    """Whether nothing of the bytes has to be guessed: they begin with a byte order mark, or are valid UTF-8.

    >>> is_marked_or_usual("好".encode()), is_marked_or_usual("好".encode("gbk"))
    (True, False)
    """
    return any(content.startswith(mark) for mark, _ in MARKS) or _decodes(content, USUAL)


def detect(content: bytes) -> str | None:
    """The encoding of bytes that are no UTF-8; None where nothing fits.

    >>> detect("München und Köln".encode("latin-1"))
    'cp1252'
    """
    sample = content[:SAMPLE_BYTES]
    if 0 in sample:
        return _utf_16(sample)
    beyond = BEYOND_ASCII.search(content)
    if beyond is None:
        return None
    sample = content[beyond.start() : beyond.start() + SAMPLE_BYTES]
    chinese = {"gb18030": _common(sample, GB_COMMON, 0xA1), "big5": _common(sample, BIG5_COMMON, 0x40)}
    best = max(chinese, key=lambda name: chinese[name])
    western = _western(sample) >= SURE and _decodes(content, "cp1252")
    # An accent before a plain letter is a pair of Big5 too; of real pairs some have a high second byte.
    accents = western and all(second < 0x80 for _, second in _pairs(sample))
    if chinese[best] >= SURE and not accents and _decodes(content, best):
        return best
    if western:
        return "cp1252"
    return _by_language(content)


def _utf_16(sample: bytes) -> str | None:
    """UTF-16 without its mark: every second byte of what is written in Latin letters, digits and commas is 0."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if 4 * max(even, odd) < len(sample) // 2 or 10 * min(even, odd) > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _common(sample: bytes, common: set[int], least_second: int) -> float:
    """Share of the pairs that begin at a high byte which are common characters of a double-byte encoding."""
    pairs = list(_pairs(sample))
    good = sum(first in common and least_second <= second < 0xFF and second != 0x7F for first, second in pairs)
    return good / len(pairs) if pairs else 0.0


def _pairs(sample: bytes) -> Iterator[tuple[int, int]]:
    place = 0
    while place < len(sample) - 1:
        if sample[place] < 0x80:
            place += 1
            continue
        yield sample[place], sample[place + 1]
        place += 2


def _western(sample: bytes) -> float:
    """Share of the high bytes that are letters or signs of Western Europe."""
    high = [byte for byte in sample if byte >= 0x80]
    letters = bytes(high).decode("cp1252", errors="replace")
    return sum(letter in WESTERN for letter in letters) / len(high) if _stands_alone(sample) else 0.0


def _stands_alone(sample: bytes) -> bool:
    """Whether most high bytes have plain ones on both sides, as accents have."""
    high = [place for place, byte in enumerate(sample) if byte >= 0x80]
    alone = sum(
        (place == 0 or sample[place - 1] < 0x80) and (place + 1 == len(sample) or sample[place + 1] < 0x80)
        for place in high
    )
    return 2 * alone >= len(high)


def _by_language(content: bytes) -> str | None:
    import charset_normalizer

    best = charset_normalizer.from_bytes(content[: 4 * SAMPLE_BYTES]).best()
    return best.encoding if best is not None and _decodes(content, best.encoding) else None


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeError:
        return False
    return True


def _in(content: bytes, path: Path | str, encoding: str) -> str:
    try:
        return _without_zeros(content.decode(encoding), path)
    except LookupError:
        fail("files.unknown-encoding", path=path, found=encoding, known=", ".join(KNOWN), hint=nearest(encoding, KNOWN))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = f"0x{content[error.start]:02x}"
        fail("files.not-in-encoding", path=path, encoding=encoding, line=line, byte=byte)
    except (UnicodeError, ValueError) as error:
        fail("files.not-in-encoding", path=path, encoding=encoding, line=1, byte=error)


def _without_zeros(text: str, path: Path | str) -> str:
    place = text.find("\0")
    if place >= 0:
        fail("files.not-text", path=path, line=text.count("\n", 0, place) + 1, byte="0x00")
    return text
