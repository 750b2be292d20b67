"""docs/recipe.md and its Chinese sibling, made from the classes of base/recipe.py and the words beside their fields:
`make docs` writes them anew."""

import ast
import inspect
import tomllib
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

from danlu.base import recipe as recipes
from danlu.base.recipe import SECTIONS, Recipe
from danlu.base.setting_keys import known_keys

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {"en": DOCS / "recipe.md", "zh": DOCS / "recipe.zh-CN.md"}
CHINESE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("recipe_page_zh.toml").read_text(encoding="utf-8"))
BOUNDS = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<"}

_OPENING = """\
# The recipe

[中文](recipe.zh-CN.md)

Everything that determines a training, as TOML with the sections below. Every key is optional. The same keys
are taken on the command line, `danlu fit train.epochs=5`, and in Python, `danlu.fit(…, epochs=5)`, flat where
the name is in one section only, else dotted: `**{"data.validation": 0.2}`. What is left out (default *none*) is
decided from the data or left to torch, and the run's own `recipe.toml` says what was taken. The word `none` can
be written too, for example as a level: `--vary train.clip_norm=none,1`. This page is made from the recipe's classes,
and a test holds it current."""

ENGLISH = {
    "opening": _OPENING,
    "head": "| key | type | default | bounds | meaning |",
    "net": "The other keys of `[net]` are the options of the net itself: `danlu nets NAME` lists them.",
    "watch": "Thresholds of rules stand beside these keys, as `dead-relu.min_dead_share = 0.6`: see [rules](rules.md).",
    "none": "none",
}


@dataclass(frozen=True)
class Setting:
    """One key as the recipe's class declares it."""

    key: str
    annotation: Any
    default: Any
    meaning: str


def settings(section: str) -> list[Setting]:
    """The known keys of a section, with what stands beside them in the source."""
    kind = type(getattr(Recipe(), section))
    hints, meanings = get_type_hints(kind, include_extras=True), _meanings(kind)
    known = [field for field in fields(kind) if field.name in known_keys()[section]]
    return [Setting(field.name, hints[field.name], field.default, meanings.get(field.name, "")) for field in known]


def _meanings(kind: type[Any]) -> dict[str, str]:
    """The comments above each field and behind it."""
    lines = inspect.getsource(recipes).splitlines()
    tree = next(node for node in ast.parse("\n".join(lines)).body if getattr(node, "name", "") == kind.__name__)
    found = dict[str, str]()
    for node in tree.body:  # type: ignore[attr-defined]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            above, at = list[str](), node.lineno - 2
            while lines[at].strip().startswith("#"):
                above.insert(0, lines[at].strip().lstrip("# "))
                at -= 1
            behind = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :].strip().lstrip("# ")
            found[node.target.id] = " ".join([*above, *([behind] if behind else [])])
    return found


def kind_text(annotation: Any) -> str:
    """The type of a value as TOML has it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return "`balanced`, numbers or a table"
    if origin is Annotated:
        return kind_text(arguments[0])
    if origin in (types.UnionType, Union):
        return kind_text(next(one for one in arguments if one is not types.NoneType))
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is Mapping:
        return "table"
    if origin is tuple:
        return "list of strings" if arguments[-1] is Ellipsis else "pair"
    return {int: "integer", float: "number", str: "string", bool: "boolean"}[annotation]


def bounds_text(annotation: Any) -> str:
    """The limits of a number, or of each of a pair."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        limits = [f"{BOUNDS[type(one)]} {_number(getattr(one, fields(one)[0].name))}" for one in arguments[1:]]
        return ", ".join(limits)
    inner = [bounds_text(one) for one in arguments if one not in (types.NoneType, Ellipsis)]
    return "; ".join(inner) if any(inner) else ""


def _number(value: float) -> str:
    return f"{value:,}" if value < 10**12 else "2⁶³ - 1"


def default_text(value: Any, none: str) -> str:
    """A default as TOML writes it."""
    if value is None:
        return none
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "`[]`" if value == () else f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def page(language: str) -> str:
    """The page in that language."""
    texts: Mapping[str, str] = ENGLISH if language == "en" else CHINESE["page"]
    lines = [texts["opening"].strip()]
    for section in SECTIONS:
        lines += ["", f"## [{section}]", "", summary(section, language), "", texts["head"], "|---|---|---|---|---|"]
        for one in settings(section):
            kind, none = kind_text(one.annotation), texts["none"]
            if language == "zh":
                kind = CHINESE["types"].get(kind, kind)
            cells = (f"`{one.key}`", kind, default_text(one.default, none), bounds_text(one.annotation))
            lines.append(f"| {' | '.join(cells)} | {meaning(section, one, language)} |")
        if section in texts:
            lines += ["", texts[section]]
    return "\n".join(lines) + "\n"


def summary(section: str, language: str) -> str:
    """What a section is for."""
    if language == "zh":
        return str(CHINESE[section]["summary"])
    text = (inspect.getdoc(type(getattr(Recipe(), section))) or "").partition("\n\n")[0]
    return " ".join(text.split())


def meaning(section: str, setting: Setting, language: str) -> str:
    """What a key does."""
    return setting.meaning if language == "en" else str(CHINESE[section].get(setting.key, ""))


def unused_chinese() -> Iterator[str]:
    """Chinese texts of keys that there are not."""
    for section in SECTIONS:
        known = {one.key for one in settings(section)} | {"summary"}
        yield from (f"{section}.{key}" for key in CHINESE[section] if key not in known)
    yield from (key for key in CHINESE.keys() - {*SECTIONS, "page", "types"})


if __name__ == "__main__":
    for language, file in PAGES.items():
        file.write_text(page(language), encoding="utf-8")
