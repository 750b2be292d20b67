"""What a setting wants, in words, where the validator refuses what it was given."""

from collections.abc import Mapping
from typing import Any

from danlu.base.errors import Fault

_WANTED = {
    "greater_than": "above",
    "greater_than_equal": "at-least",
    "less_than": "below",
    "less_than_equal": "at-most",
    "finite_number": "finite",
    "float_type": "number",
    "float_parsing": "number",
    "int_type": "whole",
    "int_parsing": "whole",
    "int_from_float": "whole",
    "int_parsing_size": "whole",
    "bool_type": "yes-no",
    "bool_parsing": "yes-no",
    "string_type": "text",
    "literal_error": "one-of",
    "tuple_type": "pair",
    "missing": "pair",
    "too_long": "pair",
    "too_short": "pair",
    "mapping_type": "types",
    "dict_type": "types",
}


def wanted(kind: str, context: Mapping[str, Any], message: str) -> Fault | str:
    """What is wanted where pydantic found a fault of `kind`; its own `message` where danlu has no words for that.

    >>> wanted("greater_than", {"gt": 0.0}, "").id
    'recipe.wanted-above'
    """
    if kind not in _WANTED:
        return message
    limit = next((context[name] for name in ("gt", "ge", "lt", "le", "expected") if name in context), "")
    return Fault(f"recipe.wanted-{_WANTED[kind]}", {"limit": str(limit).replace(" or ", ", ").removesuffix(".0")})
