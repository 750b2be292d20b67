"""JSON is strict, on one line, and numbers come back as they were."""

import json
import math
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.strict_json import from_exact_json, number, to_exact_json, to_json

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def no_constants(text: str) -> Any:
    raise AssertionError(f"{text} is no JSON")


@given(PLAIN)
def test_plain_values_come_back_equal(value: Any) -> None:
    text = to_json(value)
    assert "\n" not in text
    assert json.loads(text) == value


@given(st.floats())
def test_every_number_comes_back_and_the_json_is_strict(value: float) -> None:
    read = json.loads(to_json({"score": [value]}), parse_constant=no_constants)["score"][0]
    back = number(read)
    assert back == value or (math.isnan(back) and math.isnan(value))


def test_numbers_that_are_not_finite_are_spelt_out_at_any_depth() -> None:
    value = {"a": (math.inf, [-math.inf, {"b": math.nan}]), "c": 1}
    assert to_json(value) == '{"a": ["Infinity", ["-Infinity", {"b": "NaN"}]], "c": 1}'


def test_chinese_stays_readable() -> None:
    assert to_json({"名": "丹炉"}) == '{"名": "丹炉"}'


@pytest.mark.parametrize(("written", "value"), [(3, 3.0), (0.5, 0.5), ("Infinity", math.inf), ("-Infinity", -math.inf)])
def test_number_reads_what_was_written(written: float | str, value: float) -> None:
    assert number(written) == value
    assert isinstance(number(written), float)


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        to_json({"net": object()})


@pytest.mark.parametrize("value", ["0.5", "nan", True, None, [], {}, 10**400, "٣"])
def test_number_takes_nothing_else_for_a_number(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r".+"):
        number(value)


def test_numbers_of_numpy_and_torch_are_numbers() -> None:
    value = {"a": numpy.float32(0.5), "b": numpy.int64(3), "c": torch.tensor(math.nan), "d": Path("runs") / "one"}
    assert json.loads(to_json(value)) == {"a": 0.5, "b": 3, "c": "NaN", "d": str(Path("runs") / "one")}


@given(st.text(st.characters(codec=None)) | st.dictionaries(st.text(st.characters(codec=None)), st.none()))
def test_every_text_can_be_written_to_a_file(value: Any) -> None:
    assert json.loads(to_json(value).encode()) is not None


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists)
    | st.dictionaries(st.text(), st.floats())
)
def test_the_exact_form_gives_every_value_back(value: Any) -> None:
    text = to_exact_json(value)
    json.loads(text, parse_constant=no_constants)
    assert repr(from_exact_json(text)) == repr(value)


def test_the_exact_form_refuses_what_it_would_change() -> None:
    for value in ((1, 2), {1: 2}, {"not-finite": "NaN"}):
        with pytest.raises((TypeError, KeyError), match=r".+"):
            to_exact_json(value)
