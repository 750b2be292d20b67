"""The table of how often findings are right, from hand-made outcomes."""

import pytest

from faults.calibration import calibration, uncalibrated
from faults.judge import Outcome, Said, Task


def outcome(kind: str, name: str, *said: Said) -> Outcome:
    return Outcome(Task(kind, name, 0), 1.0, said, 1.0)


PLANTED = "softmax-layer-and-cross-entropy"  # its rule is softmax-twice, plateau a symptom
RIGHT = outcome("planted", PLANTED, Said("softmax-twice", "error", "", "surely"), Said("plateau", "advice", ""))
ASTRAY = outcome("planted", PLANTED, Said("dead-relu", "warning", "", "probably"))
ON_HEALTHY = outcome("healthy", "any", Said("softmax-twice", "error", "", "surely"))


@pytest.mark.parametrize(
    ("outcomes", "row", "complaints"),
    [
        ([RIGHT], "| surely | 1 | 1 | 1.000 | ≥ 0.98 |", []),
        ([RIGHT, ASTRAY], "| probably | 0 | 1 | 0.000 | ≥ 0.85 |", ["probably"]),
        ([RIGHT, ON_HEALTHY], "| surely | 1 | 2 | 0.500 | ≥ 0.98 |", ["surely"]),
        ([RIGHT] * 49 + [ON_HEALTHY], "| surely | 49 | 50 | 0.980 | ≥ 0.98 |", []),
    ],
)
def test_the_table(outcomes: list[Outcome], row: str, complaints: list[str]) -> None:
    assert row in calibration(outcomes)
    assert [word for word in ("surely", "probably") if any(word in one for one in uncalibrated(outcomes))] == complaints


def test_what_is_not_right_is_named() -> None:
    assert "- `dead-relu` (probably), 1 of 1: softmax-layer-and-cross-entropy (0)" in calibration([RIGHT, ASTRAY])
    assert calibration([RIGHT]).endswith("- nothing")
