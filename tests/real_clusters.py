"""Real clusters for tests: Dask's scheduler and workers, each a process of its own on 127.0.0.1."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import danlu

HERE = "127.0.0.1"
_PATIENCE = 300.0  # seconds


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind((HERE, 0))
        return one.getsockname()[1]


def environment() -> dict[str, str]:
    """That of a worker which finds this very danlu, with one thread an operation."""
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(danlu.__file__).parents[1])}


def wait_until(ready: Any, told: Path | None = None) -> None:
    """Wait until `ready` says so; `told` is the log to show where it does not."""
    end = time.monotonic() + _PATIENCE
    while not ready():
        assert time.monotonic() < end, told.read_text() if told else "not in time"
        time.sleep(0.1)


@dataclass
class DaskHere:
    """A scheduler and its workers; `folder` holds what they say."""

    folder: Path
    port: int = field(default_factory=free_port)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])
    scheduler: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"dask://{HERE}:{self.port}"

    def begin(self, workers: int) -> None:
        self.scheduler = self._process("scheduler", "dask_scheduler", "--port", str(self.port))
        for _ in range(workers):
            self.add_worker()
        self.wait_for(workers)

    def add_worker(self) -> None:
        number = len(self.workers)
        where = ("--local-directory", str(self.folder / f"space-{number}"))
        asked = (f"tcp://{HERE}:{self.port}", "--nthreads", "1", "--no-nanny", *where)
        self.workers.append(self._process(f"worker-{number}", "dask_worker", *asked))

    def _process(self, name: str, program: str, *words: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--host", HERE, "--no-dashboard", *words]
        with (self.folder / name).open("wb") as told:
            return subprocess.Popen(command, stdout=told, stderr=told, env=environment(), cwd=self.folder)

    @contextlib.contextmanager
    def client(self) -> Generator[Any]:
        """A client of our own, to look on."""
        import distributed

        with distributed.Client(f"tcp://{HERE}:{self.port}", timeout=60, set_as_default=False) as client:
            yield client

    def wait_for(self, workers: int) -> None:
        """Wait until so many workers are there."""
        with self.client() as client:
            client.wait_for_workers(workers, timeout=_PATIENCE)

    def busy(self, client: Any) -> dict[int, int]:
        """By the process of each worker, how many tasks it has."""
        pids: dict[str, int] = client.run(os.getpid)
        return {pids[worker]: len(keys) for worker, keys in client.processing().items() if worker in pids}

    def end(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                process.kill()
                process.wait()


def kill(pid: int) -> None:
    """As the system does where memory is out."""
    os.kill(pid, signal.SIGKILL)
