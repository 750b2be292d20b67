"""What sources and scripts of danlu ask the catalogues for, by reading them."""

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

ID = re.compile(r"[a-z]+\.[a-z0-9_-]+")
BEGINNING = re.compile(r"[a-z]+\.[a-z0-9_-]*-")
ASKING = re.compile(r"(.*\.)?(say|fail|Fault)|.*faults\.add")


@dataclass(frozen=True)
class Asks:
    """What a source asks the catalogues for."""

    calls: tuple[tuple[str, set[str] | None], ...]  # of say, fail, Fault, faults.add: the id, the values where known
    prefixes: frozenset[str]  # fixed beginnings of ids put together: f"recipe.wanted-{kind}" gives recipe.wanted-
    constants: frozenset[str]  # whatever could be an id: literals of that form, also those in tables and arguments


@functools.cache
def asks(source: str) -> Asks:
    """Read once, whoever wants to know."""
    calls, beginnings, texts = list[tuple[str, set[str] | None]](), set[str](), set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            calls += _asked_for(node)
        elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            beginnings.add(str(node.values[0].value))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    return Asks(
        tuple(calls),
        frozenset(text for text in beginnings if BEGINNING.fullmatch(text)),
        frozenset(text for text in texts if ID.fullmatch(text)),
    )


def _asked_for(call: ast.Call) -> Iterator[tuple[str, set[str] | None]]:
    if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
        last = getattr(call.func, "attr", getattr(call.func, "id", ""))
        if last in ("say", "fail", "Fault", "add") and ASKING.fullmatch(name := ast.unparse(call.func)):
            yield call.args[0].value, _values(call, name)


def _values(call: ast.Call, name: str) -> set[str] | None:
    if name.endswith("Fault"):
        given = call.args[1] if len(call.args) > 1 else ast.Dict([], [])
        if isinstance(given, ast.Dict) and all(isinstance(key, ast.Constant) for key in given.keys):
            return {ast.literal_eval(key) for key in given.keys if key is not None}
        return None
    names = [keyword.arg for keyword in call.keywords]
    return None if None in names else {name for name in names if name is not None}


def page_ids(script: str) -> set[str]:
    """The ids that a script of the page asks `danlu.say` for outright, of the area "page"."""
    return {f"page.{id}" for id in re.findall(r'danlu\.say\("([a-z0-9-]+)"', script)}


def as_python(script: str) -> str:
    """A source whose constants and prefixes are those that a script of the page may ask for."""
    names = re.findall(r'"([a-z][a-z0-9-]*)"', script)
    beginnings = re.findall(r"`([a-z][a-z0-9-]*-)\$\{", script)
    return "\n".join([*(f'"page.{name}"' for name in names), *(f'f"page.{start}{{x}}"' for start in beginnings)])
