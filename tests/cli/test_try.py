"""danlu try on the command line: what it refuses, and that it answers until it is told to stop."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from command_line import SOFTMAX, Type, assert_refused


def test_a_run_must_be_named(type_in: Type, language: str) -> None:
    assert_refused(type_in("try", "--lang", language), language, "danlu try RUN")


def test_a_run_must_be_there(type_in: Type, language: str) -> None:
    assert_refused(type_in("try", "runs/nothing", "--lang", language), language, "runs/nothing")


def test_one_run_at_a_time(type_in: Type, language: str) -> None:
    assert_refused(type_in("try", "one", "two", "--lang", language), language, "two")


@pytest.mark.parametrize("port", ["many", "8765.5"])
def test_a_port_is_a_number(type_in: Type, language: str, port: str) -> None:
    assert_refused(type_in("try", "x", f"--port={port}", "--lang", language), language, "--port", port)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_it_prints_one_object_and_answers_until_ctrl_c(work: Path, type_in: Type) -> None:
    type_in(*SOFTMAX, "train.epochs=1", "--name", "one")
    command = [sys.executable, "-m", "danlu", "try", "runs/one", "--json", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = json.loads(process.stdout.readline())
        assert told["run"] == str(work / "runs" / "one")
        with urllib.request.urlopen(told["address"], timeout=30) as answer:
            assert answer.status == 200
            assert "HttpOnly" in answer.headers["set-cookie"]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
