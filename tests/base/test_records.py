"""Records turn into strict JSON, on one line, and numbers come back as they were."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.records import Finding, number, to_json

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


def test_a_finding_is_frozen() -> None:
    finding = Finding("dead-units", "warning", ("layers.0",), 20, {"share": 0.9}, "title", "why")
    assert finding.remedies == ()
    with pytest.raises(AttributeError, match="cannot assign"):
        finding.since = 3  # pyright: ignore[reportAttributeAccessIssue]
