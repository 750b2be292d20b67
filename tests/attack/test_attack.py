"""A small part of the attack with every run of the tests, a tenth of it with the slow ones; and that it can fail."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from attack.carried_out import KINDS
from attack.child import in_child
from attack.inputs import words
from attack.inputs.case import Case, attempt
from attack.inputs.trials import tried
from attack.inputs.truth import Arrays, Odd, Table, changes_in_arrays, changes_in_table
from attack.tally import Tally, joined, tables
from danlu.base.errors import fail
from danlu.cli.parser import VERBS
from danlu.data import load

TESTS = Path(__file__).parents[1]


def attacked(kinds: str, share: float) -> None:
    command = [sys.executable, "-m", "attack", "--kinds", kinds, "--share", str(share), "--processes", "1"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=3000, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "**0**" in done.stdout
    assert re.search(r"\| [1-9]\d*", done.stdout)


@pytest.mark.slow
def test_a_part_of_the_attack_finds_nothing() -> None:
    attacked("inputs,flips", 0.003)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_tenth_of_the_attack_finds_nothing(kind: str) -> None:
    attacked(kind, 0.1)


def test_every_command_is_attacked() -> None:
    typed = {case.name.strip("'\"").split()[0] for case in words.options()}
    assert typed == set(VERBS) - words.SPARED


def crash(place: Path) -> list[str]:
    raise KeyError("x")


def hang(place: Path) -> list[str]:
    while True:
        pass


def refuse(place: Path) -> list[str]:
    fail("data.unknown-source", found="x")


ENDS = {
    "accepted": lambda place: [],
    "unsaid change": lambda place: ["1 became 2"],
    "refused": refuse,
    "traceback": crash,
}


@pytest.mark.parametrize("end", ENDS)
def test_how_a_try_ended_is_seen(end: str, tmp_path: Path) -> None:
    assert attempt(Case("a", "b", ENDS[end]), tmp_path)[0] == end


def test_what_hangs_dies_or_eats_memory_is_seen(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    here = tmp_path / "here"
    assert in_child(lambda: hang(here), here, 0.5).state == "hung"
    assert in_child(lambda: os._exit(3), here, 60).state == "died"
    ended = in_child(lambda: attempt(Case("a", "b", lambda _: [str(bytearray(2**35))]), here), here, 60)
    assert ended.value[0] == "traceback"
    assert in_child(os.getcwd, here, 60).value == str(here)
    (tally,) = tried([Case("a", "b", crash), Case("a", "c", ENDS["accepted"])], tmp_path / "tries")
    assert (tally.tried, tally.bad, len(tally.complaints)) == (2, 1, 1)


def test_the_oracle_sees_what_was_changed(tmp_path: Path) -> None:
    numbers = [float(number % 9) for number in range(40)]
    labels = ["ab"[number % 2] for number in range(40)]
    data = load({"width": numbers, "y": labels}, target="y", validation=0, test=0, standardise=False)
    assert not list(changes_in_table(data, Table({"width": numbers}, labels)))
    wrong = {
        "one number": Table({"width": [*numbers[:-1], 99.0]}, labels),
        "a column that is gone": Table({"height": numbers}, labels),
        "a gap": Table({"width": [None, *numbers[1:]]}, labels),
        "an odd cell": Table({"width": [Odd("x"), *numbers[1:]]}, labels),
        "a label": Table({"width": numbers}, ["b", *labels[1:]]),
        "a row": Table({"width": numbers[1:]}, labels[1:]),
    }
    assert all(list(changes_in_table(data, truth)) for truth in wrong.values())
    x = [[number] for number in numbers]
    arrays = load((x, labels), validation=0, test=0, standardise=False)
    assert not list(changes_in_arrays(arrays, Arrays(x, labels)))
    assert list(changes_in_arrays(arrays, Arrays([[9.5], *x[1:]], labels)))
    assert list(changes_in_arrays(arrays, Arrays(x, ["b", *labels[1:]])))


def test_the_tables_tell_inputs_and_the_rest() -> None:
    inputs = [Tally("tables", Counter(accepted=3, hang=1)), Tally("tables", Counter(refused=2))]
    found = joined([*inputs, Tally("kills", Counter(good=9, bad=1), wanted="the same end")])
    told = tables(found)
    assert "| tables | 6 | 3 | 2 | 0 | 1 | 0 |" in told
    assert "| **all** | 6 | 3 | 2 | 0 | 1 | 0 |" in told
    assert "| kills | 10 | 9 | the same end |" in told
