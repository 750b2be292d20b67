"""--json of every command is one strict object, also of what diverged and of a column without a number.

`Answer.json` itself refuses a bare NaN; that every test of the command line reads by it makes each of them one of this.
"""

import json
from pathlib import Path

import pytest

from command_line import Type

LINEAR = ("--net", "linear-regression", "--data", "line.csv", "data.target=y", "train.epochs=2")
DIVERGED = (*LINEAR, "optim.lr=1e9")
VARIED = ("compare", *LINEAR, "--vary", "optim.lr=1e9,2e9", "--seeds", "3")


@pytest.fixture
def line(work: Path) -> Path:
    """A table whose column `gone` holds no number at all."""
    rows = "".join(f"{x / 10},nan,{x / 5}\n" for x in range(60))
    (work / "line.csv").write_text(f"x,gone,y\n{rows}")
    return work


def test_every_command_is_strict_about_what_diverged(line: Path, type_in: Type) -> None:
    fitted = type_in("fit", *DIVERGED, "--json").json
    run = fitted["run"]
    assert fitted["score"]["train"]["loss"] in ("NaN", "Infinity")
    study = type_in(*VARIED, "--json").json
    assert {member["diverged"] for member in study["members"]} == {True}
    commands = [
        ("show", run),
        ("resume", run),
        ("show", study["study"]),
        ("data", "line.csv", "data.target=y"),
        ("check", *DIVERGED),
        ("lr-find", *LINEAR, "--lowest", "1e5", "--highest", "1e9", "--points", "3"),
        (*VARIED, "--plan"),
    ]
    for command in commands:
        assert type_in(*command, "--json").json
    journals = [path for path in line.rglob("*") if path.suffix in (".json", ".jsonl")]
    assert len(journals) > 5
    for path in journals:
        for text in path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]:
            json.loads(text, parse_constant=pytest.fail)
