"""Signs as Chinese keyboards write them where a command line has plain ones: what is meant is told, not guessed."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from danlu.base.errors import Faults
from danlu.base.input_files import path_kind
from danlu.base.printable import typed

_DASHES = re.compile(r"[-－—–―]+(?=[a-zａ-ｚ])")
_SETTING = re.compile(r"(?P<dashes>-*)(?P<key>[a-zａ-ｚ]+[.．。][\w.．。-]+)(?P<equals>[=＝])(?P<value>.*)", re.DOTALL)
_NUMBERS = re.compile(r"[\d.,:e+\-\[\] ]+")
_STOPS = str.maketrans("。、", ".,")


def refuse_full_width(tokens: Sequence[str], options: Collection[str]) -> None:
    """UserError with each word that is an option, or a setting, but for full-width signs in it."""
    faults = Faults()
    for token in tokens:
        plain = _in_plain_signs(token, options)
        if plain != token and path_kind(token) == "missing":
            faults.add("cli.full-width", word=token, plain=typed(plain))
    faults.raise_if_any()


def _in_plain_signs(token: str, options: Collection[str]) -> str:
    """The word with plain dashes, names, equals signs and numbers; text behind an equals sign stays as it is.

    >>> _in_plain_signs("——target", ["target"]), _in_plain_signs("train。epochs＝３", [])
    ('--target', 'train.epochs=3')
    >>> _in_plain_signs("data.target=身高（厘米）", []), _in_plain_signs("——he said", ["target"])
    ('data.target=身高（厘米）', '——he said')
    """
    match = _SETTING.fullmatch(token)
    if match:
        value = _halved(match["value"])
        value = value if _NUMBERS.fullmatch(value) else match["value"]
        return f"{'--' if match['dashes'] else ''}{_halved(match['key'])}={value}"
    name = _DASHES.sub("", token, count=1)
    plain = _halved(name.partition("=")[0].partition("＝")[0])
    one_dash = token.startswith("-") and token[1:2].isascii() and token[1:2] != "-"
    if name == token or one_dash or plain not in options:
        return token
    value = name[len(plain) :]
    return f"--{plain}={value[1:]}" if value.startswith("＝") else f"--{plain}{value}"


def _halved(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_STOPS)
