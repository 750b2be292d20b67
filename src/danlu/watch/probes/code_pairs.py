"""Inputs and targets in the source: whether their rows are dealt out apart."""

import ast
import re

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import assignments, name_of, own_words
from danlu.watch.walking import walk

_LABELS = re.compile(r"^(self\.)?(y|ys|yb|y_?(train|tr|all)|labels?|targets?)(_?(train|tr|all|np))?$", re.IGNORECASE)
_DRAWN = ("randperm", "permutation", "randint", "choice", "sample")
_SORTS = ("sort", "argsort")
_LENGTHS = re.compile(r"len|sizes", re.IGNORECASE)
_SEEDS = {
    "seed",
    "manual_seed",
    "set_state",
    "setstate",
    "seed_everything",
    "set_rng_state",
    "default_rng",
    "RandomState",
}


def may_deal(text: SourceText) -> bool:
    """Whether targets can be put into another order than inputs."""
    return text.has({*_DRAWN, "shuffle", *_SORTS})


def dealt_apart(scope: ast.AST) -> int | None:
    """The line that puts targets into an order of their own: one drawn for them alone, while inputs are put into one
    that was drawn for these.

    >>> dealt_apart(ast.parse("x = x[randperm(len(x))]\\ny = y[randperm(len(y))]"))
    2
    >>> dealt_apart(ast.parse("order = randperm(len(x))\\nx, y = x[order], y[order]")) is None
    True
    """
    pairs = _pairs(scope)
    for block in _blocks(scope):
        drawn = _indexed(block)
        found = drawn + _shuffled(block)
        inputs = [one for one in found if not _LABELS.match(one[0])]
        kept = {name for name, order, _ in found for _, other, _ in inputs if order == other and _LABELS.match(name)}
        for name, order, line in found:
            if _LABELS.match(name):
                if name not in kept and inputs:
                    return line
                continue
            alone = not any(order == other for other_name, other, _ in drawn if other_name != name)
            paired = bool(pairs.get(name, set()) - kept) and _is_put_back(block, name, line)
            if alone and name in _items(scope) and _is_put_back(block, name, line):
                return line
            if alone and paired and not any(order in own_words(one) for one in walk(scope) if _is_of_labels(one)):
                return line
    return None


def views_apart(scope: ast.AST) -> int | None:
    """The line that takes rows in an order drawn for them alone, which then go into one call with rows of another array
    that were taken in another one: of two views of the same samples, those of others.

    >>> source = "for i in batches:\\n texts = captions[randperm(n)[:5]]\\n loss = clip(model(images[i], texts))"
    >>> views_apart(ast.parse(source))
    2
    >>> views_apart(ast.parse(source.replace("randperm(n)[:5]", "i"))) is None
    True
    """
    made = assignments(scope)
    for call in (one for one in walk(scope) if isinstance(one, ast.Call) and len(one.args) + len(one.keywords) > 1):
        rows = [_taken_rows(one, made) for one in (*call.args, *(word.value for word in call.keywords))]
        known = [one for one in rows if one is not None]
        if len(known) != 2:  # a third is there to be none of the pair
            continue
        for array, order, line in known:
            drawn = order if _draws(order) else None
            if isinstance(order, ast.Name) and len(made.get(order.id, ())) == 1 and _draws(made[order.id][0]):
                drawn = order
            others = [(name, other) for name, other, _ in known if name != array and ast.dump(other) != ast.dump(order)]
            used = _uses(scope, order.id) if isinstance(order, ast.Name) else 1
            if drawn is not None and used == 1 and others:
                return line
    return None


def _taken_rows(node: ast.AST, made: dict[str, list[ast.AST]]) -> tuple[str, ast.expr, int] | None:
    """The array whose rows an argument is, or a name that was given them once: its name, the rows, and the line."""
    if isinstance(node, ast.Name) and len(made.get(node.id, ())) == 1:
        node = made[node.id][0]
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name | ast.Attribute):
        return None
    if isinstance(node.slice, ast.Slice | ast.Tuple | ast.Constant):
        return None
    return name_of(node.value), node.slice, node.lineno


def _draws(node: ast.AST) -> bool:
    """Whether an order is drawn in this very expression, or a part of one that is."""
    while isinstance(node, ast.Subscript):
        node = node.value
    return _is_drawn(node)


def _uses(scope: ast.AST, name: str) -> int:
    loads = (one for one in walk(scope) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load))
    return sum(one.id == name for one in loads)


def sorted_apart(scope: ast.AST) -> int | None:
    """The line that sorts inputs by their lengths, in a function that leaves their targets as they were.

    >>> source = "def pad(seqs, lengths, labels):\\n lengths, order = lengths.sort(0)\\n seqs = seqs[order]\\n"
    >>> sorted_apart(ast.parse(source + " return seqs, lengths, labels"))
    3
    >>> sorted_apart(ast.parse(source + " return seqs, lengths, labels[order]")) is None
    True
    """
    for home in (one for one in walk(scope) if isinstance(one, ast.FunctionDef)):
        used = [one for one in walk(home) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)]
        if not any(_LABELS.match(one.id) for one in used):
            continue
        for order in filter(None, map(_sorting, walk(home))):
            placed = [one for one in walk(home) if isinstance(one, ast.Subscript) and name_of(one.slice) == order]
            alone = len(placed) == sum(one.id == order for one in used)  # and it goes nowhere else
            back = [
                one.lineno for one in walk(home)
                if isinstance(one, ast.Assign) and one.value in placed
                and name_of(one.targets[0]) == name_of(one.value)
            ]  # fmt: skip
            if alone and back and not any(_is_of_labels(one) for one in placed):
                return back[0]
    return None


def _sorting(node: ast.AST) -> str:
    """The name of the order that an assignment gets by sorting lengths."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call) or name_of(node.value) not in _SORTS:
        return ""
    if not any(_LENGTHS.search(word) for word in own_words(node.value)):
        return ""
    target = node.targets[0]
    if name_of(node.value) == "sort":
        return name_of(target.elts[1]) if isinstance(target, ast.Tuple) and len(target.elts) == 2 else ""
    return name_of(target)


def _pairs(scope: ast.AST) -> dict[str, set[str]]:
    """By name of inputs, the targets that go with them: indexed alike, or given to one call that pairs them."""
    by_place: dict[str, set[str]] = {}
    found: dict[str, set[str]] = {}
    groups: list[set[str]] = []
    for node in walk(scope):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and not isinstance(node.slice, ast.Call)
        ):
            by_place.setdefault(ast.dump(node.slice), set()).add(node.value.id)
        if isinstance(node, ast.Call) and name_of(node.func) in ("TensorDataset", "zip"):
            groups.append({one.id for one in node.args if isinstance(one, ast.Name)})
    for group in [*by_place.values(), *groups]:
        labels = {one for one in group if _LABELS.match(one)}
        for one in group - labels:
            found.setdefault(one, set()).update(labels)
    return found


def _items(scope: ast.AST) -> set[str]:
    """The arrays of which a data set gives the same row beside that of another one: `return self.x[i], self.z[i]`."""
    found: set[str] = set()
    for home in (one for one in walk(scope) if isinstance(one, ast.FunctionDef) and one.name == "__getitem__"):
        index = home.args.args[-1].arg
        for one in (one.value for one in walk(home) if isinstance(one, ast.Return)):
            rows = [
                part for part in (one.elts if isinstance(one, ast.Tuple) else [])
                if isinstance(part, ast.Subscript) and isinstance(part.slice, ast.Name) and part.slice.id == index
            ]  # fmt: skip
            found |= {name_of(row) for row in rows} if len(rows) > 1 else set()
    return found


def _is_put_back(block: list[ast.stmt], name: str, line: int) -> bool:
    """Whether an array is replaced by itself in another order."""
    return any(
        isinstance(one, ast.Assign) and one.lineno <= line <= (one.end_lineno or one.lineno)
        and len(one.targets) == 1 and name_of(one.targets[0]) == name and isinstance(one.value, ast.Subscript)
        for one in block
    )  # fmt: skip


def _is_of_labels(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and bool(_LABELS.match(name_of(node.value)))


def _blocks(scope: ast.AST) -> list[list[ast.stmt]]:
    """Statements that run one after the other."""
    blocks: list[list[ast.stmt]] = []
    for node in walk(scope):
        for name in ("body", "orelse"):
            body = getattr(node, name, None)
            if isinstance(body, list) and all(isinstance(one, ast.stmt) for one in body):  # pyright: ignore[reportUnknownVariableType]
                blocks.append(body)  # pyright: ignore[reportUnknownArgumentType]
    return blocks


def _indexed(block: list[ast.stmt]) -> list[tuple[str, str, int]]:
    """Arrays indexed by an order drawn in this very block: name, order, line."""
    plain = [one for one in block if isinstance(one, ast.Assign | ast.Expr | ast.Return | ast.AnnAssign)]
    made = assignments(ast.Module(body=list(plain), type_ignores=[]))
    found: list[tuple[str, str, int]] = []
    for node in (inner for one in plain for inner in walk(one)):
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name | ast.Attribute):
            continue
        place = node.slice
        if isinstance(place, ast.Name):
            values = made.get(place.id, [])
            if len(values) == 1 and _is_drawn(values[0]):
                found.append((name_of(node.value), place.id, node.lineno))
        elif _is_drawn(place):
            found.append((name_of(node.value), f"{place.lineno}:{place.col_offset}", node.lineno))
    return found


def _is_drawn(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and name_of(node.func) in _DRAWN and not (
        {one.arg for one in node.keywords} & {"generator", "random_state", "seed"}
    )  # fmt: skip


def _shuffled(block: list[ast.stmt]) -> list[tuple[str, str, int]]:
    """Arrays shuffled in place one after the other, where no seed is set in between."""
    found: list[tuple[str, str, int]] = []
    for one in block:
        call = one.value if isinstance(one, ast.Expr) else None
        shuffles = isinstance(call, ast.Call) and name_of(call.func) == "shuffle" and bool(call.args)
        if isinstance(call, ast.Call) and shuffles and isinstance(call.args[0], ast.Name | ast.Attribute):
            found.append((name_of(call.args[0]), f"{call.lineno}", call.lineno))
    seeded = any(own_words(one) & _SEEDS for one in block if isinstance(one, ast.Expr))
    return [] if seeded else found
