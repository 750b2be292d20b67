"""One section of a recipe from a mapping, as a Python programmer writes it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.base.wanted import wanted


def section_of(kind: type[Any], section: str, given: object) -> Any:
    """The section of the class `kind` that the mapping `given` holds. Raises UserError with all that is wrong in it."""
    import pydantic  # here, because it takes longer to import than all of danlu

    if not isinstance(given, Mapping):
        fail("recipe.not-a-section", section=section, found=type(given).__name__)
    keys = [key.name for key in fields(kind)]
    open_key = next((key for key in keys if key in ("options", "thresholds")), None)
    tree = {str(key): value for key, value in cast(Mapping[Any, Any], given).items()}
    if open_key is not None:
        rest = {key: tree.pop(key) for key in [*tree] if key not in keys}
        tree[open_key] = {**tree.get(open_key, {}), **rest}
    faults, place = Faults(), Fault("recipe.place-call")
    try:
        return pydantic.TypeAdapter(kind).validate_python(tree)
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
