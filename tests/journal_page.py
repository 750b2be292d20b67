"""docs/journal.md and its Chinese sibling, made from the records' classes: what each line of a journal holds.

To write them anew after a change:  PYTHONPATH=src:tests python tests/journal_page.py
"""

import dataclasses
import inspect
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Union

from danlu.base.graphs import NetGraph
from danlu.base.records import Finding
from danlu.store.records import KINDS, VERSION, FindingAppeared, NetDrawn, Record

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {"en": DOCS / "journal.md", "zh": DOCS / "journal.zh-CN.md"}
CHINESE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("journal_page_zh.toml").read_text(encoding="utf-8"))
FLAT = {FindingAppeared: Finding, NetDrawn: NetGraph}  # records whose keys are those of what they hold
STUDY = "begin"  # the first kind that a study's journal holds

ENGLISH = {
    "title": "The journal",
    "opening": """
[中文](journal.zh-CN.md)

Every run, study and search keeps a journal, `journal.jsonl` in its folder: one JSON object a line, only ever appended
to, each with its kind under `"kind"`. This page is made from the classes in `src/danlu/store/records/`, and a test
holds it current.

The format has version {version}; the opening record says which, and where it does not, it is 1 (danlu 0.1). Numbers
that are not finite stand as the strings `"NaN"`, `"Infinity"` and `"-Infinity"`. A reader passes over keys that it
does not know; a key that is missing or null holds its default. A line that is broken, or whose values are not of
these types, is passed over and counted as damaged; a line of a kind that the reader does not know, because a newer
danlu wrote it, is passed over and counted as unknown. The dashboard shows both counts.
""",
    "run": "Runs",
    "study": "Studies, cures and searches",
    "head": "| key | type | default | meaning |",
}


def told(kind: type[Record]) -> tuple[str, dict[str, str]]:
    """What the docstring of a record says of it, and of each of its keys."""
    summary, _, keys = (inspect.getdoc(kind) or "").partition("\n\n")
    found: dict[str, str] = {}
    name = ""
    for line in keys.splitlines():
        if line.startswith(" "):
            found[name] += f" {line.strip()}"
        elif line:
            name, _, found[name] = line.partition(": ")
    return " ".join(summary.split()), found


def fields(kind: type[Record]) -> Sequence[tuple[str, Any, str]]:
    """Name, type and default of each key."""
    holder: type[Any] = FLAT.get(kind, kind)
    annotations = typing.get_type_hints(holder)
    return [(one.name, annotations[one.name], _default(one)) for one in dataclasses.fields(holder)]


def _default(field: "dataclasses.Field[Any]") -> str:
    if field.default_factory is not dataclasses.MISSING:
        return f"`{_json(field.default_factory())}`"
    return "" if field.default is dataclasses.MISSING else f"`{_json(field.default)}`"


def _json(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str):
        return f'"{value}"'
    return "[]" if value == () else str(value)


def shown(annotation: Any) -> str:
    """A type as JSON has it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, Union):
        return " or ".join(shown(one) for one in arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return f"[{', '.join(shown(one) for one in arguments)}]"
    if origin in (tuple, Sequence, list):
        inner = shown(arguments[0])
        return f"list of ({inner})" if " or " in inner else f"list of {inner}"
    if origin in (Mapping, dict):
        return "object" if arguments[1] is Any else f"object of {shown(arguments[1])}"
    names = {int: "integer", float: "number", str: "string", bool: "boolean", types.NoneType: "null"}
    return names.get(annotation, "object")


def page(language: str) -> str:
    """The page in that language."""
    words: Mapping[str, str] = ENGLISH if language == "en" else CHINESE["page"]
    lines = [f"# {words['title']}", "", words["opening"].strip().replace("{version}", str(VERSION)), ""]
    for word, kind in KINDS.items():
        if word in ("start", STUDY):
            lines += [f"## {words['study' if word == STUDY else 'run']}", ""]
        summary, keys = texts(word, kind, language)
        lines += [f"### `{word}`", "", summary, ""]
        if keys:
            lines += [words["head"], "|---|---|---|---|"]
            lines += [
                f"| `{name}` | {_type(one, language)} | {default} | {keys[name]} |"
                for name, one, default in fields(kind)
            ]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def texts(word: str, kind: type[Record], language: str) -> tuple[str, Mapping[str, str]]:
    """What is said of a kind, and of each of its keys."""
    if language == "en":
        return told(kind)
    own: Mapping[str, str] = CHINESE[word]
    return own["summary"], {name: own.get(name, CHINESE["keys"].get(name, "")) for name, _, _ in fields(kind)}


def _type(annotation: Any, language: str) -> str:
    text = shown(annotation)
    for english, chinese in CHINESE["types"].items() if language == "zh" else ():
        text = text.replace(english, chinese)
    return text


def unused_chinese() -> Iterator[str]:
    """Chinese texts of kinds and keys that there are not."""
    named = {name for kind in KINDS.values() for name, _, _ in fields(kind)}
    yield from (f"keys.{name}" for name in CHINESE["keys"] if name not in named)
    for word in CHINESE.keys() - {"page", "types", "keys"}:
        known = {name for name, _, _ in fields(KINDS[word])} | {"summary"} if word in KINDS else set[str]()
        yield from (f"{word}.{name}" for name in CHINESE[word] if name not in known)


if __name__ == "__main__":
    for language, file in PAGES.items():
        file.write_text(page(language), encoding="utf-8")
