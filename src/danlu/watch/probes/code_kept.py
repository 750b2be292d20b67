"""What was computed batch by batch in the source, and is looked up by the number of the batch in another order."""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from torch.utils.data import DataLoader, RandomSampler

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import name_of
from danlu.watch.walking import walk


def may_keep(text: SourceText) -> bool:
    """Whether anything can be looked up by the number of a batch."""
    return text.has({"enumerate"})


def kept_by_place(scope: ast.AST, known: Mapping[str, Any]) -> int | None:
    """The line that takes, by the number of a batch, what an earlier pass through the same loader has gathered, where
    that loader shuffles: it belongs to other samples. `known` are values of names.

    >>> loader = DataLoader(range(9), shuffle=True)
    >>> source = "kept = [teacher(x) for x, _ in {}]\\nfor i, (x, _) in enumerate(loader):\\n loss = f(net(x), kept[i])"
    >>> kept_by_place(ast.parse(source.format("loader")), {"loader": loader})
    3
    >>> kept_by_place(ast.parse(source.format("loader")), {"loader": DataLoader(range(9))}) is None
    True
    """
    gathered = dict(_gathered(scope))
    for loop in (one for one in walk(scope) if isinstance(one, ast.For)):
        call, target = loop.iter, loop.target
        if not (isinstance(call, ast.Call) and name_of(call.func) == "enumerate" and call.args):
            continue
        if not isinstance(target, ast.Tuple) or not isinstance(target.elts[0], ast.Name):
            continue
        loader = name_of(call.args[0])
        for one in walk(loop):
            place = isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Name) and one.slice.id
            kept = place == target.elts[0].id and gathered.get(name_of(one)) == loader
            if kept and isinstance(one, ast.Subscript) and _shuffles(known.get(loader)):
                return one.lineno
    return None


def _gathered(scope: ast.AST) -> Iterator[tuple[str, str]]:
    """Lists of one entry a batch, and the loader that each was gathered from."""
    functions = {one.name: one for one in walk(scope) if isinstance(one, ast.FunctionDef)}
    for one in walk(scope):
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.ListComp):
            yield name_of(one.targets[0]), _loader_of(one.value.generators[0].iter)
        elif isinstance(one, ast.Assign) and isinstance(one.value, ast.Call):
            made = functions.get(name_of(one.value.func))
            names = [part.arg for part in made.args.args] if made is not None else []
            given = dict(zip(names, (name_of(part) for part in one.value.args), strict=False))
            for over in _looped(made) if made is not None else ():
                if over in given:
                    yield name_of(one.targets[0]), given[over]
        elif isinstance(one, ast.For):
            for call in walk(one):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "append":
                    yield name_of(call.func.value), _loader_of(one.iter)


def _looped(function: ast.FunctionDef) -> Iterator[str]:
    for one in walk(function):
        if isinstance(one, ast.For | ast.comprehension):
            yield _loader_of(one.iter)


def _loader_of(node: ast.AST) -> str:
    enumerated = isinstance(node, ast.Call) and name_of(node.func) in ("enumerate", "tqdm") and node.args
    return name_of(node.args[0]) if isinstance(node, ast.Call) and enumerated else name_of(node)


def _shuffles(loader: Any) -> bool:
    return isinstance(loader, DataLoader) and isinstance(loader.sampler, RandomSampler)
