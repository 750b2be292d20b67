"""A table whose column names and labels hold escape sequences: no command passes one on to the terminal."""

import re
from pathlib import Path

import pytest

from command_line import Type

OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
LABELS = "".join(f"{x},{x % 3}," + ("a" if x % 2 else "b\x1b[2J") + "\n" for x in range(60))


@pytest.fixture
def table(work: Path) -> Path:
    path = work / "t.csv"
    path.write_text("x,\x1b]0;pwned\x07\x1b[31mname,y\n" + LABELS)
    return path


@pytest.mark.every(2)
@pytest.mark.parametrize("way", [(), ("--json",)])
def test_no_command_passes_an_escape_on(table: Path, type_in: Type, way: tuple[str, ...]) -> None:
    quick = ("--net", "softmax-regression", "--data", "t.csv", "data.target=y", "train.epochs=1")
    commands = [
        ("data", "t.csv", "data.target=y"),
        ("data", "t.csv", "data.target=\x1b[31mred"),
        ("fit", *quick, "--name", "run"),
        ("fit", *quick, "optim.name=\x1b[31mred"),
        ("check", *quick),
        ("compare", *quick, "--vary", "optim.lr=0.01,0.1", "--seeds", "2", "--folder", "study"),
        ("show", "run\x1b[31m"),
        ("show", "study"),
    ]
    for command in commands:
        answer = type_in(*command, *way)
        assert not OBEYED.search(answer.out + answer.err), command


def test_the_table_that_once_did(cases_root: Path, type_in: Type) -> None:
    case = cases_root / "trust" / "esc2.csv"
    for command in (("data", str(case), "data.target=y"), ("data", str(case), "data.target=z")):
        answer = type_in(*command)
        assert "Traceback" not in answer.err
        assert not OBEYED.search(answer.out + answer.err)
