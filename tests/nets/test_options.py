"""Options from Python, TOML and command lines get their final type, or are refused by name."""

import math
import re

import numpy
import pytest

from danlu.base.errors import UserError
from danlu.nets.options import OptionCheck


@pytest.mark.parametrize("value", [3, 3.0, "3", numpy.int64(3)])
def test_a_count_may_be_spelt_in_several_ways(value: object) -> None:
    check = OptionCheck()
    count = check.count("classes", value)
    check.done()
    assert (count, type(count)) == (3, int)


@pytest.mark.parametrize("value", [0, -1, 2.5, "ten", True, None, [3], math.nan, math.inf, 10**400, 2**60])
def test_what_is_no_count_is_refused(value: object) -> None:
    check = OptionCheck()
    check.count("classes", value)
    with pytest.raises(UserError, match=r"^net\.classes is .*; it must be a whole number of at least 1\.$"):
        check.done()


@pytest.mark.parametrize(
    ("value", "widths"),
    [
        (64, (64,)),
        ([64, 32], (64, 32)),
        ((64,), (64,)),
        ("64", (64,)),
        ("64,32", (64, 32)),
        ("[64, 32]", (64, 32)),
        ([], ()),
    ],
)
def test_widths_are_one_number_or_several(value: object, widths: tuple[int, ...]) -> None:
    check = OptionCheck()
    assert check.widths("hidden", value) == widths
    check.done()


@pytest.mark.parametrize("value", ["wide", "", [64, 0], [64, "x"], {"a": 1}, 1.5, None, True])
def test_what_is_no_list_of_widths_is_refused_whole(value: object) -> None:
    check = OptionCheck()
    check.widths("hidden", value)
    found = re.escape(repr(value))
    with pytest.raises(UserError, match=rf"net\.hidden is {found}; .*several such as \[256, 128\]"):
        check.done()


@pytest.mark.parametrize("value", [1, -0.1, 1.5, "much", True, math.nan, None])
def test_what_is_no_fraction_is_refused(value: object) -> None:
    check = OptionCheck()
    check.fraction("dropout", value)
    with pytest.raises(UserError, match=r"net\.dropout is .*at least 0 and below 1"):
        check.done()


def test_a_choice_ignores_capitals_and_underscores() -> None:
    check = OptionCheck()
    assert check.choice("activation", "Leaky_ReLU", ["relu", "leaky-relu"]) == "leaky-relu"
    check.done()


@pytest.mark.parametrize("value", [None, 3, "", ["relu"]])
def test_a_choice_is_one_of_the_words(value: object) -> None:
    check = OptionCheck()
    check.choice("activation", value, ["relu", "tanh"])
    with pytest.raises(UserError, match=r"net\.activation is .*one of relu, tanh"):
        check.done()


@pytest.mark.parametrize("value", [0, 1, "yes", None, 0.0])
def test_a_flag_is_true_or_false_alone(value: object) -> None:
    check = OptionCheck()
    assert [check.flag("tied", word) for word in (True, "True", "false", False)] == [True, True, False, False]
    check.flag("tied", value)
    with pytest.raises(UserError, match=r"^net\.tied is .*; it must be true or false\.$"):
        check.done()


@pytest.mark.parametrize("value", ["much", math.inf, True, None])
def test_a_number_is_finite(value: object) -> None:
    check = OptionCheck()
    assert check.number("forget_bias", "-0.5") == -0.5
    check.number("forget_bias", value)
    with pytest.raises(UserError, match=r"^net\.forget_bias is .*; it must be a finite number\.$"):
        check.done()


def test_a_count_may_have_a_larger_least_value() -> None:
    check = OptionCheck()
    check.count("size", 15, least=16)
    with pytest.raises(UserError, match=r"net\.size is 15; .*at least 16"):
        check.done()


def test_all_faults_are_told_at_once_with_the_nearest_spelling(language: str) -> None:
    check = OptionCheck()
    check.count("inputs", "abc")
    check.choice("activation", "rleu", ["relu", "tanh"])
    with pytest.raises(UserError, match=r"net\.inputs.*'abc'.*1[^\n]*\n.*net\.activation.*'rleu'.*\"relu\"") as caught:
        check.done()
    assert len(caught.value.faults) == 2
