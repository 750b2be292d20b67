"""danlu view on the command line: what it refuses, and that it answers until it is told to stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from command_line import Type, assert_refused
from dashboard_site import make_run


def test_a_folder_that_is_not_there_is_told(type_in: Type, language: str) -> None:
    assert_refused(type_in("view", "nowhere", "--lang", language), language, "nowhere", "danlu view")


def test_without_a_folder_runs_or_studies_must_be_there(type_in: Type, language: str) -> None:
    assert_refused(type_in("view", "--lang", language), language, "runs, studies", "danlu fit")


@pytest.mark.parametrize("port", ["many", "-", "8765.5", "٨٧"])
def test_a_port_is_a_number(type_in: Type, work: Path, language: str, port: str) -> None:
    assert_refused(type_in("view", work, f"--port={port}", "--lang", language), language, "--port", port)


def test_there_are_only_so_many_ports(type_in: Type, work: Path, language: str) -> None:
    assert_refused(type_in("view", work, "--port", "70000", "--lang", language), language, "70000", "65535")


def test_a_port_in_use_is_told(type_in: Type, work: Path, language: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_refused(type_in("view", work, "--port", port, "--lang", language), language, port, "--port 9000")


def test_an_address_of_another_machine_is_told(type_in: Type, work: Path, language: str) -> None:
    assert_refused(type_in("view", work, "--host", "192.0.2.1", "--lang", language), language, "192.0.2.1")


def test_one_folder_at_a_time(type_in: Type, language: str) -> None:
    assert_refused(type_in("view", "one", "two", "--lang", language), language, "two")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_it_prints_one_object_and_answers_until_ctrl_c(work: Path) -> None:
    make_run(work / "runs" / "one")
    command = [sys.executable, "-m", "danlu", "view", "--json", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        told = json.loads(process.stdout.readline())
        assert told["folder"] == str(work)
        with urllib.request.urlopen(told["address"], timeout=30) as answer:
            assert answer.status == 200
            assert "HttpOnly" in answer.headers["set-cookie"]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
