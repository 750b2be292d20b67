"""danlu play on the command line: what it refuses, and that it answers until it is told to stop."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from command_line import Type, assert_refused
from playing import write_points


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("moons", "spiral"), ("spiral",)),
        (("nowhere.csv",), ("nowhere.csv",)),
        (("moonz",), ("moonz", "moons")),
        (("digits",), ("digits",)),
        (("moons", "--columns", "x,y"), ("moons", "--columns")),
        (("points.csv", "--columns", "a,b"), ("class",)),
        (("points.csv", "--target", "klass", "--columns", "a,b"), ("klass", '"class"')),
        (("points.csv", "--target", "class", "--columns", "a,c"), ("data.columns", "colour, class")),
        (("--port", "many"), ("--port", "many")),
    ],
)
def test_what_cannot_be_played_with_is_refused(
    work: Path, type_in: Type, language: str, words: tuple[str, ...], told: tuple[str, ...]
) -> None:
    write_points(work / "points.csv")
    assert_refused(type_in("play", *words, "--lang", language), language, *told)


def test_a_column_of_text_is_refused_with_those_that_are_numbers(work: Path, type_in: Type, language: str) -> None:
    write_points(work / "points.csv")
    answer = type_in("play", "points.csv", "--target", "class", "--columns", "a,colour", "--lang", language)
    assert answer.code == 2
    assert "--columns" in answer.faults[0]
    assert "colour" in answer.faults[0]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_it_prints_one_object_and_answers_until_ctrl_c(work: Path) -> None:
    command = [sys.executable, "-m", "danlu", "play", "circles", "--json", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = json.loads(process.stdout.readline())
        assert told["data"] == "circles"
        with urllib.request.urlopen(told["address"], timeout=30) as answer:
            assert answer.status == 200
            cookie = answer.headers["set-cookie"].partition(";")[0]
        base = told["address"].partition("/start")[0]
        page = urllib.request.Request(f"{base}/", headers={"Cookie": cookie})
        with urllib.request.urlopen(page, timeout=30) as answer:
            form = json.loads(answer.read().decode().partition('class="form-data">')[2].partition("</script>")[0])
        body = json.dumps({"chosen": form["chosen"]}).encode()
        headers = {"Cookie": cookie, "Content-Type": "application/json", "Origin": base}
        with urllib.request.urlopen(urllib.request.Request(f"{base}/api/move", body, headers), timeout=30) as answer:
            assert json.loads(answer.read())["move"] == 1
        process.send_signal(signal.SIGINT)  # in the middle of a move
        assert process.wait(60) == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
    assert not list(work.iterdir())
