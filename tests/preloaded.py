"""Real processes that begin with torch and danlu imported: forked from one that has done nothing but import them.

The imports take a process six seconds of a core, and most tests that need a process are not about these. A test of how
a process begins (what Python reads of the environment, what happens while it imports) starts an interpreter itself.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_VERBS = ("check", "compare", "cure", "draw", "fit", "lr_find", "resume", "show", "view")
_MODULES = ("danlu.cli.main", *(f"danlu.cli.verbs.{verb}" for verb in _VERBS))
_SERVER = "import sys; sys.path.insert(0, sys.argv[1]); import preloaded; preloaded.serve(int(sys.argv[2]))"


class Process:
    """`python WORDS…`, begun: a process id, and what `subprocess.Popen` has that tests ask for. Outputs are text."""

    def __init__(self, words: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        self.args = list(words)
        self.returncode: int | None = None
        self._out, self._err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 they live as long
        self._told, theirs = socket.socketpair()
        for opened in (self._out, self._err, self._told):
            weakref.finalize(self, opened.close)
        request = {"words": self.args, "cwd": str(cwd or Path.cwd()), "env": dict(os.environ if env is None else env)}
        body = json.dumps(request).encode()
        given = [theirs.fileno(), self._out.fileno(), self._err.fileno()]
        socket.send_fds(_server(), [len(body).to_bytes(4, "big")], given)
        _server().sendall(body)
        theirs.close()
        self.pid = self._answer(60)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self.returncode = self._answer(timeout)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote to standard output and error, once it has ended."""
        self.wait(timeout)
        return _text(self._out), _text(self._err)

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _answer(self, timeout: float | None) -> int:
        """The next number told of it: its id, and later its exit code."""
        self._told.settimeout(timeout)
        try:
            told = self._told.recv(4)
        except (TimeoutError, BlockingIOError):
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0) from None
        assert len(told) == 4, "the preloaded process is gone"
        return int.from_bytes(told, "big", signed=True)


def run(
    words: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, timeout: float = 600
) -> "subprocess.CompletedProcess[str]":
    """`python WORDS…`, begun and waited for."""
    process = Process(words, cwd=cwd, env=env)
    try:
        out, err = process.communicate(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(process.args, process.wait(), out, err)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@functools.cache
def _server() -> socket.socket:
    """The end of a connection to the process that forks."""
    ours, theirs = socket.socketpair()
    words = [sys.executable, "-c", _SERVER, str(Path(__file__).parent), str(theirs.fileno())]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    server = subprocess.Popen(
        words, env=environment, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True
    )
    theirs.close()
    atexit.register(_end, server, ours)
    return ours


def _end(server: "subprocess.Popen[bytes]", connection: socket.socket) -> None:
    connection.close()
    server.kill()
    server.wait()


def serve(descriptor: int) -> None:
    """Import, then fork for each request. Returns only in a forked process, once that has run and ended well."""
    for name in _MODULES:
        importlib.import_module(name)
    gc.freeze()  # or every collection in a forked process copies what all of them share
    requests = socket.socket(fileno=descriptor)
    while received := socket.recv_fds(requests, 4, 3):
        size, given = received[:2]
        if not size:
            os._exit(0)
        request = json.loads(requests.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL))
        watcher = os.fork()
        if watcher == 0:
            requests.close()
            if _is_the_process_itself(*given):
                return _become(**request)
        os.waitpid(watcher, 0)  # it has forked again and is done: nothing is left behind, nothing is waited for
        for file in given:
            os.close(file)
    return None


def _is_the_process_itself(told: int, out: int, err: int) -> bool:
    """Fork into the process that was asked for, and one that tells its id and its exit code."""
    if os.fork():
        os._exit(0)
    process = os.fork()
    if process:
        os.close(out)
        os.close(err)
        os.write(told, process.to_bytes(4, "big", signed=True))
        code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        os.write(told, code.to_bytes(4, "big", signed=True))
        os._exit(0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for file in (told, out, err):
        os.close(file)
    return True


def _become(words: Sequence[str], cwd: str, env: Mapping[str, str]) -> None:
    """Do what `python WORDS…` does; exceptions, exits and what is left to do then are the interpreter's own."""
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    kind, *rest = words
    match kind:
        case "-m":
            sys.path[0], sys.argv = cwd, rest
            runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
        case "-c":
            sys.path[0], sys.argv = "", ["-c", *rest[1:]]
            exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
        case _:
            sys.path[0], sys.argv = str(Path(kind).parent), [kind, *rest]
            runpy.run_path(kind, run_name="__main__")
