"""What a record of each kind must hold. Whatever else stands in a journal is passed over by its reader, and counted.

A journal is a file that anybody may have written: a list where a number belongs must not be the end of a page.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from danlu.base.strict_json import number

_LARGEST = 2**53  # what a float holds exactly
_DEEPEST = 40

Test = Callable[[Any], bool]


def is_sound(record: Mapping[str, Any]) -> bool:
    """Whether a record has what readers of its kind rely on. A kind that is not known is none of theirs: True.

    >>> is_sound({"kind": "resume", "step": 3}), is_sound({"kind": "resume", "step": [3]}), is_sound({"kind": []})
    (True, False, False)
    """
    kind = record.get("kind", "")
    if not isinstance(kind, str) or not _is_shallow(record):
        return False
    needed, optional = _SHAPES.get(kind, ({}, {}))
    return all(key in record and test(record[key]) for key, test in needed.items()) and all(
        test(record[key]) for key, test in optional.items() if record.get(key) is not None
    )


def whole_text(value: Any) -> Any:
    """The same with half a surrogate pair in any text replaced by "?": no file and no page can hold it."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        entries = cast(dict[Any, Any], value).items()
        return {whole_text(key): whole_text(entry) for key, entry in entries}
    return [whole_text(entry) for entry in cast(list[Any], value)] if isinstance(value, list) else value


def _is_shallow(value: Any, depth: int = 0) -> bool:
    if not isinstance(value, list | dict):
        return True
    below = cast(dict[Any, Any], value).values() if isinstance(value, dict) else cast(list[Any], value)
    nested = (entry for entry in below if isinstance(entry, list | dict))
    return depth < _DEEPEST and all(_is_shallow(entry, depth + 1) for entry in nested)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST


def _number(value: Any) -> bool:
    try:
        number(value)
    except (TypeError, ValueError):
        return False
    return True


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _object(value: Any) -> bool:
    return isinstance(value, dict)


def _every(test: Test) -> Test:
    return lambda value: isinstance(value, list) and all(map(test, cast(list[Any], value)))


def _each(test: Test) -> Test:
    return lambda value: isinstance(value, dict) and all(map(test, cast(dict[str, Any], value).values()))


def _either(*tests: Test) -> Test:
    return lambda value: any(test(value) for test in tests)


def _nothing(value: Any) -> bool:
    return value is None


def _fields(**needed: Test) -> Test:
    def holds(value: Any) -> bool:
        return isinstance(value, dict) and all(key in value and test(value[key]) for key, test in needed.items())

    return holds


def _remedy(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    found = cast(dict[str, Any], value)
    return _text(found["advice"]) if "advice" in found else _object(found.get("change"))


def _numbers(value: Any) -> bool:
    """A list of numbers; one of a thousand floats is seen at a glance."""
    if not isinstance(value, list):
        return False
    entries = cast(list[Any], value)
    return set(map(type, entries)) == {float} or all(map(_number, entries))


_SCORE = _each(_number)
_MAYBE_NUMBERS = _every(_either(_nothing, _number))
_FINDING: dict[str, Test] = {
    "rule": _text, "severity": _text, "where": _every(_text), "since": _count, "evidence": _object, "title": _text,
    "why": _text, "remedies": _every(_remedy),
}  # fmt: skip
_FAILED: dict[str, Test] = {"factors": _object, "reason": _text}
_MEMBER: dict[str, Test] = {"factors": _object, "seed": _count, "fold": _count, "score": _SCORE}
_QUANTITIES = ("spread", "gradient", "update", "weight", "dead")

_SHAPES: dict[str, tuple[dict[str, Test], dict[str, Test]]] = {
    "start": ({}, {"epochs": _count, "steps_per_epoch": _count}),
    "resume": ({"step": _count}, {}),
    "stop": ({"step": _count}, {}),
    "checkpoint": ({"step": _count}, {}),
    "steps": (
        {"first": _count, "epoch": _count, "loss": _numbers, "lr": _either(_number, _numbers)},
        {"norm": _MAYBE_NUMBERS},
    ),
    "epoch": (
        {"epoch": _count, "step": _count, "train": _SCORE, "seconds": _number},
        {"validation": _SCORE, "best": _flag},
    ),
    "finding": (_FINDING, {}),
    "findings": ({"findings": _every(_fields(**_FINDING))}, {}),
    "layers": ({"step": _count}, {"names": _every(_text), **dict.fromkeys(_QUANTITIES, _MAYBE_NUMBERS)}),
    "end": ({"score": _each(_either(_nothing, _SCORE)), "seconds": _number}, {"step": _count, "epochs": _count}),
    "begin": ({}, {"members": _count, "seeds": _every(_count), "failed": _every(_fields(**_FAILED))}),
    "member": ({**_MEMBER, "diverged": _flag}, {"epochs": _count, "diverged_at": _count, "dropped_at": _count}),
    "baseline": ({"baseline": _text, "seed": _count, "fold": _count, "score": _SCORE}, {}),
    "failed": (_FAILED, {"seed": _count, "fold": _count}),
    "done": ({"seconds": _number}, {}),
    "best": ({"factors": _object, "validation": _SCORE}, {"run": _text}),
    "round": ({"number": _count, "points": _every(_object)}, {}),
    "round-end": ({"number": _count, "seconds": _number}, {}),
    "choices": ({"made": _object}, {}),
}
