"""Numbers as people write them: thousands separators, decimal commas, money, percent, full-width digits."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# What stands for "no value" in a cell, and what does so only among numbers.
MISSING = ("", "NA", "N/A", "n/a", "#N/A", "na", "null", "NULL", "None", "NaN", "nan", "NAN", "?", "-", "<NA>", "缺失")
MISSING_NUMBER = frozenset(
    {"none", "nil", "n.a.", "unknown", "missing", "--", "---", "–", "—", ".", "..", "...", "无", "空", "未知", "不详"}
    | {"#div/0!", "#value!", "#ref!", "#num!", "#name?", "nat", "(null)", "/", "\\n", "暂无", "待定"}
    | {word.lower() for word in MISSING}
)
# Longer whole numbers are beyond the largest float (and Python refuses to read those of more than 4,300 digits).
MAX_DIGITS = 300
# A spelling is named by how it writes one thousand two hundred and thirty-four and 56 hundredths.
POINT = "1234.56"
DECIMAL_COMMA = "1.234,56"
_GROUPED = {  # thousands separator, decimal sign
    "1,234.56": (",", "."),
    DECIMAL_COMMA: (".", ","),
    "1 234.56": (" ", "."),
    "1 234,56": (" ", ","),
    "1'234.56": ("'", "."),
}
SPELLINGS = (POINT, *_GROUPED)
PERCENT = ("%", "‰")
_CURRENCY = r"(?:US\$|HK\$|NT\$|[$€£¥₩₹฿₽₫]|USD|EUR|GBP|CNY|RMB|JPY|CHF|HKD|TWD|KRW|INR|人民币|元|美元|港元|欧元|日元)"
_NUMBER = re.compile(
    rf"(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<before>{_CURRENCY})?\s*(?P<inner>[+-])?\s*"
    rf"(?P<body>[\d.,' ]*\d[.,]?)(?P<exponent>e[+-]?\d+)?\s*(?P<after>%|‰|{_CURRENCY})?\s*(?P<close>\))?",
    re.IGNORECASE,
)
_NO_DIGITS = ("<super>", "<sub>", "<fraction>")  # as plain ones they would be other numbers: 10² is not 102
_PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def _patterns() -> dict[str, re.Pattern[str]]:
    patterns = {POINT: re.compile(r"\d+\.?\d*|\.\d+")}
    for spelling, (group, decimal) in _GROUPED.items():
        g, d = re.escape(group), re.escape(decimal)
        patterns[spelling] = re.compile(rf"\d+{d}?\d*|{d}\d+|[1-9]\d{{0,2}}(?:{g}\d{{3}})+(?:{d}\d*)?")
    return patterns


_BODY = _patterns()


@dataclass(frozen=True)
class Written:
    """A number out of a cell: whole numbers exactly, and the sign of a currency or of percent beside it."""

    value: int | float
    unit: str = ""


def is_missing_number(text: str) -> bool:
    """Whether the cell says "no value" where numbers are expected.

    >>> is_missing_number("N/A"), is_missing_number("无"), is_missing_number("0")
    (True, True, False)
    """
    return text.strip().lower() in MISSING_NUMBER


def parse_number(text: str, spelling: str) -> Written | None:
    """The number that `text` stands for in one of the `SPELLINGS`, or None.

    >>> parse_number("$1,234.50", "1,234.56")
    Written(value=1234.5, unit='$')
    >>> parse_number("(1.234)", "1.234,56"), parse_number("３.１４", "1234.56").value, parse_number("1.5", "1.234,56")
    (Written(value=-1234, unit=''), 3.14, None)
    """
    text = plain_signs(text)
    found = _NUMBER.fullmatch(text)
    if found is None or bool(found["open"]) != bool(found["close"]) or (found["sign"] and found["inner"]):
        return None
    if found["before"] and found["after"]:
        return None
    body = found["body"].strip()
    if _BODY[spelling].fullmatch(body) is None:
        return None
    group, decimal = _GROUPED.get(spelling, ("", "."))
    digits = body.replace(group, "") if group else body
    digits = digits.replace(decimal, ".")
    negative = "-" in (found["sign"], found["inner"]) or bool(found["open"])
    number = ("-" if negative else "") + digits + (found["exponent"] or "")
    whole = "." not in digits and not found["exponent"]
    value: int | float = int(number) if whole and len(number) <= MAX_DIGITS else float(number)
    return Written(value, (found["before"] or found["after"] or "").upper())


def plain_signs(text: str) -> str:
    """The text with full-width signs, odd blanks and typographic minus signs as plain ones.

    >>> plain_signs("－１２．５"), plain_signs("10²")
    ('-12.5', '10²')
    """
    if text.isascii() or any(unicodedata.decomposition(sign).startswith(_NO_DIGITS) for sign in text):
        return text.strip()
    plain = unicodedata.normalize("NFKC", text).replace("−", "-").replace("’", "'").replace("，", ",")
    return " ".join(plain.split())


def is_plain(text: str) -> bool:
    """Whether the text is a number as any program writes it."""
    return _PLAIN.fullmatch(text) is not None


def _allowed(unit: str) -> set[str]:
    """The units that numbers of one column may have: one currency beside none, or percent alone."""
    return {unit} if unit in PERCENT else {unit, ""}


def value_in(text: str, spelling: str, unit: str) -> int | float | None:
    """The number that `text` stands for in a column of that spelling and unit, or None.

    >>> value_in("$5", "1,234.56", "$"), value_in("5", "1,234.56", "%")
    (5, None)
    """
    read = parse_number(text, spelling)
    return read.value if read is not None and read.unit in _allowed(unit) else None


@dataclass(frozen=True)
class Fit:
    """How a column's cells read in one spelling: cells by text, and the texts that are no numbers in it."""

    spelling: str
    unit: str
    numbers: dict[str, int | float]
    odd: tuple[str, ...]


def fit_spelling(texts: Sequence[str], spelling: str) -> Fit:
    """The different `texts` of a column read in one spelling.

    One currency beside plain numbers is read; another currency, or percent beside plain numbers, makes the rarer odd.
    """
    read = {text: parse_number(text, spelling) for text in texts}
    units: dict[str, int] = {}
    for number in read.values():
        if number is not None:
            units[number.unit] = units.get(number.unit, 0) + 1
    unit = max((name for name in units if name), key=lambda name: units[name], default="")
    percent = unit in PERCENT
    if percent and units.get("", 0) > units[unit]:
        unit = ""
    allowed = _allowed(unit)
    numbers = {text: number.value for text, number in read.items() if number is not None and number.unit in allowed}
    return Fit(spelling, unit, numbers, tuple(text for text in texts if text not in numbers))


def best_fits(texts: Sequence[str]) -> list[Fit]:
    """The fits in which the most texts are numbers, plain spelling first; several where the texts leave it open."""
    fits = [fit_spelling(texts, spelling) for spelling in SPELLINGS]
    most = max(len(fit.numbers) for fit in fits)
    return [fit for fit in fits if len(fit.numbers) == most and most]
