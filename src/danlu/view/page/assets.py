"""The scripts and styles of the page, which lie beside this file."""

import functools
import re
from collections.abc import Mapping, Sequence
from importlib import resources

from danlu.base.words import catalogue, language
from danlu.view.palette import DARK, DARK_RAMPS, LIGHT, RAMPS

CHART_SCRIPTS = ("scales.js", "marks.js", "chart.js", "pointing.js", "surface.js", "saving.js")
"""What draws charts, in the order in which it must be read."""
REPORT_SCRIPTS = (*CHART_SCRIPTS, "machine.js", "report.js")
DASHBOARD_SCRIPTS = (
    "parts.js", "curves.js", "notes.js", "tools.js", "list.js", "machine.js", "run.js", "study.js", "dashboard.js",
)  # fmt: skip
TRIAL_SCRIPTS = ("parts.js", "asking.js", "drawing.js", "fields.js", "answer.js", "trial.js")
STYLE = "look.css"
STYLES = (STYLE, "dashboard.css")
TRIAL_STYLE = "trial.css"
PLAY_SCRIPTS = ("parts.js", "asking.js", "play.js")
PLAY_STYLE = "play.css"
_WORDS = "page."
_WHOLE = re.compile(r'"([a-z][a-z0-9_-]*)"')
_BEGUN = re.compile(r"`([a-z][a-z0-9-]*-)\$\{")
_COMMENT = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.DOTALL | re.MULTILINE)
_ASIDE = re.compile(r"(?<=[;{})]) // [^\n\"'`]*$", re.MULTILINE)
_INDENT = re.compile("^ +", re.MULTILINE)
_PLAIN = re.compile(r"^[^'/\\\n]+$", re.MULTILINE)  # a line without patterns and divisions
_TEXT = re.compile(r'("[^"]*"|`[^`]*`)')
_SIGN = re.compile(r" ?(=>|[!=]==|&&|\|\||[,;{}()=?:<>]) ?")
_ROOM = re.compile(r" *([{};]) *|(?<=[,:]) (?! )")  # between the parts of a rule of style


@functools.cache
def asset(name: str) -> str:
    """The text of one script or style, without comments and room that only its authors need, for it stands in every
    report; the colours of the palette are at the head of the style.

    >>> asset("look.css").startswith(":root {")
    True
    """
    text = resources.files("danlu.view.page").joinpath("assets", name).read_text(encoding="utf-8")
    text = _INDENT.sub("", _COMMENT.sub("", text))
    text = _ROOM.sub(r"\1", text) if name.endswith(".css") else _close(_ASIDE.sub("", text))
    return _colors() + text if name == STYLE else text


def _close(script: str) -> str:
    """The script with its signs close to each other, in plain lines and outside of their texts."""

    def closed(line: re.Match[str]) -> str:
        parts = _TEXT.split(line.group())
        if any(text.count("{") != text.count("}") for text in parts[1::2]) or "`" in "".join(parts[::2]):
            return line.group()  # a text within a text
        parts[::2] = [_SIGN.sub(r"\1", part) for part in parts[::2]]
        return "".join(parts)

    return _PLAIN.sub(closed, script)


def _colors() -> str:
    def variables(colors: dict[str, str]) -> str:
        return " ".join(f"--{role}: {color};" for role, color in colors.items())

    light, dark = variables(LIGHT), variables(DARK)
    return (
        f":root {{ {light} }}\n"
        f':root[data-theme="dark"] {{ {dark} }}\n'
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {dark} }} }}\n'
    )


def look(scripts: Sequence[str]) -> dict[str, object]:
    """What these scripts need of the look: the ramps of colours, and their words in the language in force."""
    ramps, dark = ({name: list(colors) for name, colors in own.items()} for own in (RAMPS, DARK_RAMPS))
    return {"ramps": ramps, "dark": dark, "words": _words(language(), tuple(scripts))}


@functools.cache
def _words(language: str, scripts: tuple[str, ...]) -> Mapping[str, str]:
    """The words that scripts may ask for: their ids stand in them whole, or begin as one that is put together."""
    text = "".join(map(asset, scripts))
    whole, begun = set(_WHOLE.findall(text)), tuple(_BEGUN.findall(text))
    words = {id.removeprefix(_WORDS): text for id, text in catalogue(language).items() if id.startswith(_WORDS)}
    return {id: text for id, text in words.items() if id in whole or id.startswith(begun)}
