"""One section of a recipe from a mapping, as a Python programmer writes it."""

import copy
import functools
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast, get_args, get_type_hints

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.base.exact_fit import fitted
from danlu.base.wanted import wanted


@functools.cache
def types_of_keys(kind: type[Any]) -> dict[str, Any]:
    """The type of each key of the section of class `kind`."""
    return get_type_hints(kind)


def plain_keys(section: Any, **instead: Any) -> dict[str, Any]:
    """The keys of a section as they stand in TOML, their values copied, with others `instead` of some; None is left
    out."""
    values = {key.name: getattr(section, key.name) for key in fields(section)} | instead
    values.update({**values.pop("options", {}), **values.pop("thresholds", {})})
    copied = {key: copy.deepcopy(value) for key, value in values.items() if value is not None}
    return {key: list(cast(Any, value)) if isinstance(value, tuple) else value for key, value in copied.items()}


def section_of(kind: type[Any], section: str, given: object) -> Any:
    """The section of the class `kind` that the mapping `given` holds. Raises UserError with all that is wrong in it."""
    if not isinstance(given, Mapping):
        fail("recipe.not-a-section", section=section, found=type(given).__name__)
    keys = [key.name for key in fields(kind)]
    open_key = next((key for key in keys if key in ("options", "thresholds")), None)
    tree = {str(key): value for key, value in cast(Mapping[Any, Any], given).items()}
    if open_key is not None:
        rest = {key: tree.pop(key) for key in [*tree] if key not in keys}
        tree[open_key] = {**tree.get(open_key, {}), **rest}
    faults, place = Faults(), Fault("recipe.place-call")
    for key in [key for key, value in tree.items() if is_flag_for_number(types_of_keys(kind).get(key), value)]:
        wants = Fault("recipe.wanted-number")
        faults.add("recipe.bad-value", place=place, key=f"{section}.{key}", found=tree.pop(key), wanted=wants)
    exact = None if len(faults) else fitted(kind, tree)
    if exact is not None:
        return exact
    import pydantic  # here, because it takes longer to import than all of danlu

    try:
        found = _validator(kind).validate_python(tree)
        faults.raise_if_any()
        return found
    except pydantic.ValidationError as error:
        for detail in error.errors():
            path = [str(part) for part in detail["loc"]]
            dotted = ".".join([section, *path])
            if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
                hint = nearest(path[0], keys)
                if isinstance(hint, Fault):
                    hint = Fault(hint.id, {"word": f"{section}.{hint.values['word']}"})
                faults.add("recipe.unknown-key", place=place, key=dotted, hint=hint)
            else:
                needs = wanted(detail["type"], detail.get("ctx", {}), detail["msg"])
                faults.add("recipe.bad-value", place=place, key=dotted, found=repr(detail["input"]), wanted=needs)
    faults.raise_if_any()
    raise AssertionError("the validator refused without a reason")


def is_flag_for_number(kind: Any, value: object) -> bool:
    """Whether true or false, alone or among others, stands where a setting of the type `kind` takes numbers: the
    validator would read it as 1 or 0.

    >>> is_flag_for_number(int | None, True), is_flag_for_number(bool, True), is_flag_for_number(float, [True, 2.0])
    (True, False, True)
    """
    kinds = {kind, *get_args(kind)}
    parts = {part for one in kinds for part in get_args(one)} | kinds
    takes_number = bool({int, float} & (parts | {base for part in parts for base in get_args(part)}))
    if bool in parts or not takes_number:
        return False
    return any(isinstance(one, bool) for one in (value if isinstance(value, list | tuple) else [value]))


@functools.cache
def _validator(kind: type[Any]) -> Any:
    import pydantic

    return pydantic.TypeAdapter(kind)
