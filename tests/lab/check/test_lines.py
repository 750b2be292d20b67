"""Each line of a check agrees with itself: its sign with its number, and its rate with that of lr-find."""

from typing import Any

import pytest

import danlu
from danlu.base.errors import Fault
from danlu.base.records import Finding
from danlu.lab.check.check import _line  # pyright: ignore[reportPrivateUsage]
from danlu.lab.check.rehearsal import NUMBERS, RULES

BAD = ("error", "warning", "advice")
EXPECTED = Fault("check.signal-expected")


def finding(rule: str, severity: str) -> Finding:
    return Finding(rule, severity, (), 1, {}, "", "")


@pytest.mark.parametrize("severity", BAD)
@pytest.mark.parametrize(("check", "rule"), [(check, rule) for check, rules in RULES.items() for rule in rules])
def test_no_bad_sign_stands_beside_a_number_as_expected(check: str, rule: str, severity: str, language: str) -> None:
    found = [finding(rule, severity)]
    fine = _line(check, found, Fault("check.gradient-expected"), EXPECTED, {}, inside=True)
    assert fine.status == severity
    assert str(EXPECTED) != str(fine.expected)
    assert rule in str(fine.expected)
    off = _line(check, found, Fault("check.gradient-expected"), EXPECTED, {}, inside=False)
    assert (off.status, off.expected) == (severity, EXPECTED)
    told = _line(check, found, Fault("check.gradient-expected"), EXPECTED, {})
    assert (told.expected == EXPECTED) == (rule in NUMBERS[check])


def test_no_good_sign_stands_beside_a_number_that_is_off() -> None:
    assert _line("signal", [], Fault("check.signal-expected"), EXPECTED, {}, inside=True).status == "ok"
    assert _line("signal", [], Fault("check.signal-expected"), EXPECTED, {}, inside=False).status == "open"


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("net", "data", "settings"),
    [
        ("mlp", "iris", {}),
        ("softmax-regression", "digits", {"optim.name": "adam", "batch_size": 64}),
        ("linear-regression", "diabetes", {"momentum": 0.5}),
    ],
)
def test_the_rate_is_the_one_that_lr_find_suggests(net: str, data: str, settings: dict[str, Any]) -> None:
    line = danlu.check(net, data, **settings).lines[-1]
    test = danlu.lr_find(net, data, **settings)
    assert line.numbers["suggestion"] == test.suggestion
    assert line.numbers["edge"] == test.edge
