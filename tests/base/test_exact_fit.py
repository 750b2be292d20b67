"""What is made without the validator is what the validator makes; whatever it would convert or refuse goes to it."""

from dataclasses import fields
from typing import Any, get_type_hints

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.exact_fit import fitted
from danlu.base.recipe import KINDS, Recipe
from danlu.base.recipe_text import RecipeDraft
from danlu.base.sections import is_flag_for_number

KEYS = [(kind, key.name) for kind in KINDS.values() for key in fields(kind)]
WORDS = ["adam", "last", "sum", "sequential", "digits", "", "0.5", "1", "true"]
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.integers(),
    st.floats(),
    st.sampled_from([0.0, 1.0, 0.5, 10**9, 10**9 + 1, 2**63 - 1, 2**63, 2**53, 2**53 + 1, 1e-300]),
)
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS, st.sampled_from(WORDS))
VALUES = st.one_of(
    PLAIN,
    st.lists(PLAIN, max_size=3),
    st.lists(PLAIN, max_size=3).map(tuple),
    st.dictionaries(st.sampled_from(WORDS), st.one_of(PLAIN, st.dictionaries(st.sampled_from(WORDS), NUMBERS))),
)


def validated(kind: type[Any], values: dict[str, Any]) -> Any:
    try:
        return pydantic.TypeAdapter(kind).validate_python(values)
    except pydantic.ValidationError:
        return None


@pytest.mark.every(24)
@pytest.mark.parametrize(("kind", "key"), KEYS, ids=lambda value: getattr(value, "__name__", value))
@given(value=VALUES)
def test_it_agrees_with_the_validator(kind: type[Any], key: str, value: Any) -> None:
    found = fitted(kind, {key: value})
    if found is None or is_flag_for_number(get_type_hints(kind)[key], value):
        return
    wanted = validated(kind, {key: value})
    assert found == wanted
    assert repr(getattr(found, key)) == repr(getattr(wanted, key)), "1 is not 1.0, nor a list a tuple"


@pytest.mark.parametrize(("kind", "key"), KEYS, ids=lambda value: getattr(value, "__name__", value))
def test_it_takes_what_a_recipe_has_by_default(kind: type[Any], key: str) -> None:
    default = getattr(kind(), key)
    assert getattr(fitted(kind, {key: default}), key) == default


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"optim": {"name": "adam", "lr": 1, "betas": [0.9, 0.99]}, "net": {"name": "mlp", "hidden": [64, 32]}},
        {"watch": {"dead-relu": {"share": 0.6}, "silence": ["plateau"]}, "data": {"fold": [0, 5], "augment": "flip"}},
        {"train": {"freeze": "0,1", "epochs": 3}, "data": {"target": 3}},
    ],
)
def test_a_recipe_is_made_without_the_validator(tree: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    draft = RecipeDraft()
    draft.read_tree(tree)
    with monkeypatch.context() as patch:
        patch.setitem(__import__("sys").modules, "pydantic", None)
        found = draft.recipe()
    assert isinstance(found, Recipe)
    monkeypatch.setattr("danlu.base.recipe_text.fitted", lambda kind, values: None)
    assert draft.recipe() == found
