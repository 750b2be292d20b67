"""Normalisation in the source: by numbers of all samples, of which a part is held out afterwards."""

import ast
import re
from collections.abc import Iterator, Mapping

from danlu.watch.probes.code_text import SourceText
from danlu.watch.probes.code_words import assignments, name_of, own_words, words_behind
from danlu.watch.walking import walk

_CENTRES, _SPREADS = {"mean", "min", "amin", "nanmean", "median"}, {"std", "var", "max", "amax", "nanstd", "ptp"}
_FITTED = {"fit", "fit_transform", "partial_fit"}
_SPLITS = {"train_test_split", "random_split", "split_data", "make_split", "train_val_split"}
_TRAIN = re.compile(r"(^|_)(tr|trn|train|fit)", re.IGNORECASE)
_TARGET = re.compile(r"^(y|ys|target|label)", re.IGNORECASE)
_TEST = re.compile(r"(^|_)(te|test|val|valid|validation|dev|holdout)(_|\d|$)|test", re.IGNORECASE)
_ANSWERS = re.compile(r"pred|out|logit|score|prob|resid|error|embed|feat", re.IGNORECASE)
_PART = re.compile(r"part|train|test|valid|loader|batch", re.IGNORECASE)
_Made = Mapping[str, list[ast.AST]]


def may_normalise(text: SourceText) -> bool:
    """Whether anything can be normalised by what was measured."""
    return text.has(_FITTED) or (text.has(_CENTRES) and text.has(_SPREADS))


def normalised_by_all(scope: ast.AST) -> int | None:
    """The line that takes mean and deviation, or the range, of all samples of which some are held out later.

    >>> source = "x = (x - x.mean(0)) / x.std(0)\\ntrain, test = x[:n], x[n:]"
    >>> normalised_by_all(ast.parse(source))
    1
    >>> normalised_by_all(ast.parse(source.replace("x.mean", "x[:n].mean").replace("x.std", "x[:n].std"))) is None
    True
    """
    made = assignments(scope)
    parts = _split(scope, made)
    givers = _givers(scope)
    for name, line in _normalised(scope, made):
        names = {name, givers.get((name, line), name)}
        if any(one in names or words_behind(ast.Name(one), made) & names for one in parts):
            return line
    return None


def normalised_by_itself(scope: ast.AST) -> int | None:
    """The line that takes mean and deviation of data named as held out, or fits a scaler to them.

    >>> source = "z = x_train.mean(0)\\nx_test = (x_test - x_test.mean(0)) / x_test.std(0)"
    >>> normalised_by_itself(ast.parse(source))
    2
    >>> normalised_by_itself(ast.parse("x_test = scaler.fit_transform(x_test)"))
    1
    """
    lines: dict[str, list[int]] = {}
    for node in walk(scope):
        if not isinstance(node, ast.Call):
            continue
        word, array = name_of(node.func), _array(node)
        if array is None or not _TEST.search(array) or _TARGET.search(array):
            continue
        if word in _FITTED:
            return node.lineno
        if word in _CENTRES | _SPREADS:
            lines.setdefault("centre" if word in _CENTRES else "spread", []).append(node.lineno)
    return min(lines["centre"]) if len(lines) == 2 else None


def scaled_by_itself(scope: ast.AST) -> int | None:
    """The line that makes held-out data out of themselves, less their own mean and over their own deviation or range,
    or what a scaler that is fitted to them gives; what a net has answered is none of these.

    >>> scaled_by_itself(ast.parse("test_x = (test - test.mean(0)) / test.std(0)"))
    1
    >>> scaled_by_itself(ast.parse("test_x = (test - train.mean(0)) / train.std(0)")) is None
    True
    """
    for node in walk(scope):
        if not isinstance(node, ast.Assign):
            continue
        for one in walk(node.value):
            if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Div) and isinstance(one.left, ast.BinOp):
                less, over = one.left, one.right
                array = name_of(less.left) if isinstance(less.op, ast.Sub) else ""
                centre, spread = _reduced(less.right, _CENTRES), _reduced(over, _SPREADS)
                held_out = bool(_TEST.search(array)) and not _TARGET.search(array) and not _ANSWERS.search(array)
                if held_out and array == centre == spread:
                    return node.lineno
    return None


def _reduced(node: ast.AST, words: set[str]) -> str:
    """The array of which an expression takes such a number, a little added to it or not."""
    for one in walk(node):
        if isinstance(one, ast.Call) and name_of(one.func) in words:
            return _array(one) or ""
    return ""


def _givers(scope: ast.AST) -> dict[tuple[str, int], str]:
    """By argument and line, the function that this is an argument of, or the class that it constructs."""
    found: dict[tuple[str, int], str] = {}
    for outer in walk(scope):
        inside = outer.body if isinstance(outer, ast.ClassDef) else [outer]
        for one in inside:
            if isinstance(one, ast.FunctionDef) and (one is outer or one.name == "__init__"):
                name = outer.name if isinstance(outer, ast.ClassDef) else one.name
                for line in range(one.lineno, (one.end_lineno or one.lineno) + 1):
                    for arg in one.args.args:
                        if name != "__init__":
                            found[arg.arg, line] = name
    return found


def _normalised(scope: ast.AST, made: _Made) -> Iterator[tuple[str, int]]:
    """The names of arrays by whose own numbers something is normalised, and where these are taken."""
    found: dict[str, dict[str, int]] = {}
    for node in walk(scope):
        if not isinstance(node, ast.Call):
            continue
        word, array = name_of(node.func), _array(node)
        if array is None or _TRAIN.search(array) or _TARGET.search(array) or _is_part(array, made):
            continue
        if word in _FITTED and _is_scaler(node, made):
            yield array, node.lineno
        if word in _CENTRES | _SPREADS and _is_over_samples(node):
            found.setdefault(array, {}).setdefault("centre" if word in _CENTRES else "spread", node.lineno)
    for array, lines in found.items():
        if len(lines) == 2 and _is_used(scope, made, array):
            yield array, lines["centre"]


def _array(call: ast.Call) -> str | None:
    """The name of the whole array that a reduction is over: x.mean(0), np.mean(x, 0), scaler.fit(x)."""
    func = call.func
    if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name):
        library = func.value.id in ("np", "numpy", "torch")
        if not library and func.attr not in _FITTED:
            return func.value.id
    if isinstance(func, ast.Attribute) and call.args and isinstance(call.args[0], ast.Name):
        return call.args[0].id
    return None


def _is_scaler(call: ast.Call, made: _Made) -> bool:
    func = call.func
    words = words_behind(func.value, made) if isinstance(func, ast.Attribute) else set[str]()
    return any("scaler" in word.lower() or word in ("Normalizer", "PCA", "QuantileTransformer") for word in words)


def _is_over_samples(call: ast.Call) -> bool:
    """Whether a reduction runs over the first axis, where the samples are."""
    keys = [one.value for one in call.keywords if one.arg in ("axis", "dim")]
    own = isinstance(call.func, ast.Attribute) and not (
        isinstance(call.func.value, ast.Name) and call.func.value.id in ("np", "numpy", "torch")
    )
    places = [*keys, *(call.args if own else call.args[1:])]
    numbers = {one.value for place in places for one in walk(place) if isinstance(one, ast.Constant)}
    negative = any(isinstance(one, ast.USub) for place in places for one in walk(place))
    return not places or (0 in numbers and not negative)


def _is_part(name: str, made: _Made) -> bool:
    """Whether an array is a part of another one: cut out of it, or given by what splits or loads."""
    for value in made.get(name, ()):
        cut = isinstance(value, ast.Subscript) and not isinstance(value.slice, ast.Constant)
        if cut or (isinstance(value, ast.Call) and _PART.search(name_of(value.func))):
            return True
    return False


def _is_used(scope: ast.AST, made: _Made, array: str) -> bool:
    """Whether something less the one is divided by the other."""
    for node in walk(scope):
        divides = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
        if isinstance(node, ast.BinOp) and divides:
            words = words_behind(node, made)
            minus = any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Sub) for one in walk(node.left))
            if minus and array in words and words & _CENTRES and words & _SPREADS:
                return True
    return False


def _split(scope: ast.AST, made: _Made) -> set[str]:
    """The names of what is cut into a first and a last part, or given to what splits."""
    bounds: dict[str, tuple[set[str], set[str]]] = {}
    indexed: dict[str, set[str]] = {}
    found: set[str] = set()
    for node in walk(scope):
        if isinstance(node, ast.Call) and name_of(node.func) in _SPLITS:
            found |= {word for arg in node.args for word in own_words(arg)}
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            continue
        name, place = node.value.id, node.slice
        if isinstance(place, ast.Slice):
            first, last = bounds.setdefault(name, (set(), set()))
            if place.lower is None and place.upper is not None:
                first.add(ast.dump(place.upper))
            elif place.lower is not None:
                last.add(ast.dump(place.lower))
        elif isinstance(place, ast.Name):
            indexed.setdefault(name, set()).add(place.id)
        elif isinstance(place, ast.Subscript) and isinstance(place.value, ast.Name):
            indexed.setdefault(name, set()).add(place.value.id)
    cut = {name for name, (first, last) in bounds.items() if first & last}
    found |= cut
    for name, places in indexed.items():
        if any(one in cut or words_behind(ast.Name(one), made) & cut for one in places):
            found.add(name)
    return found
