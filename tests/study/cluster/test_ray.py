"""Studies on a real Ray: to the last bit those of this machine, whatever becomes of the workers."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.seeds import use_threads

ray = pytest.importorskip("ray")

import psutil  # noqa: E402  (comes with ray)

from real_clusters import HERE, environment, free_port, kill, wait_until  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of Ray's own

STACKS: dict[str, Any] = {
    "net": "mlp", "data": "digits", "vary": {"lr": [0.01, 0.1]}, "seeds": 12, "epochs": 6, "hidden": [64, 64],
    "progress": False,
}  # fmt: skip
TASK = "ray::_on_worker"  # what a process of Ray's calls itself while it has one of our tasks


@pytest.fixture(autouse=True)
def as_two_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As many stacks side by side here as there, each with one thread."""
    monkeypatch.setattr("danlu.stack.train.cores", lambda: 2)
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    before = use_threads(1)
    yield
    use_threads(before)


def scores(study: danlu.Study) -> dict[str, dict[str, float]]:
    return {f"{member.factors} {member.seed} {member.fold}": dict(member.score) for member in study.members}


def at_work() -> list[int]:
    """The processes that have a task of ours."""
    found: list[int] = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or [""]
        found += [process.info["pid"]] if words[0].startswith(TASK) else []
    return found


def listened_at(process: psutil.Process) -> set[str]:
    """The addresses at which a process and its children listen."""
    addresses: set[str] = set()
    for one in (process, *process.children(recursive=True)):
        try:
            connections = one.net_connections("inet")
        except psutil.Error:
            continue
        addresses |= {found.laddr.ip for found in connections if found.status == psutil.CONN_LISTEN}
    return addresses


def said_by_servers(folder: Path) -> str:
    """What the servers that answer clients have written."""
    return "".join(file.read_text() for file in sorted(folder.glob("session_*/logs/ray_client_server*")))


def test_a_worker_killed_in_mid_stack_costs_its_stack_and_nothing_listens_for_others(tmp_path: Path) -> None:
    here = danlu.compare(**STACKS, folder=tmp_path / "here")
    killed: list[int] = []
    addresses: set[str] = set()

    def one_dies() -> None:
        wait_until(at_work)
        addresses.update(listened_at(psutil.Process()))
        time.sleep(1.0)
        killed.extend(at_work()[:1])
        kill(killed[0])

    murderer = threading.Thread(target=one_dies)
    murderer.start()
    there = danlu.compare(**STACKS, folder=tmp_path / "there", cluster="ray")
    murderer.join()
    assert not ray.is_initialized()
    assert killed
    assert addresses <= {HERE, "::ffff:127.0.0.1", "::1"}
    assert addresses
    assert scores(there) == scores(here)
    assert len(there.members) == len({f"{one.factors} {one.seed}" for one in there.history.members}) == 24


def test_by_its_address_and_stopped_by_ctrl_c(tmp_path: Path) -> None:
    port, gcs, short = free_port(), free_port(), tempfile.mkdtemp(prefix="ray-")  # its sockets lie there
    command = [
        str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", f"--node-ip-address={HERE}",
        f"--port={gcs}", f"--ray-client-server-port={port}", "--num-cpus=2", "--include-dashboard=false",
        "--disable-usage-stats", f"--temp-dir={short}",
    ]  # fmt: skip
    # Or it listens on the machine's address, and asks for a token where there is one.
    alone = environment() | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}
    told = tmp_path / "told"
    with told.open("wb") as out:
        head = subprocess.Popen(command, stdout=out, stderr=out, env=alone, start_new_session=True)
    try:
        wait_until(lambda: "Ray runtime started" in told.read_text(), told)
        typed = [
            sys.executable, "-m", "danlu", "compare", "--net", "mlp", "--data", "digits", "--vary",
            "optim.lr=0.01,0.1", "--seeds", "12", "train.epochs=6", "net.hidden=[64, 64]", "--folder", "s",
            "--cluster", f"ray://{HERE}:{port}",
        ]  # fmt: skip
        with (tmp_path / "words").open("wb") as out:
            process = subprocess.Popen(typed, stdout=out, stderr=out, cwd=tmp_path, env=alone)
        wait_until(lambda: at_work() or process.poll() is not None, tmp_path / "words")
        process.send_signal(signal.SIGINT)
        words = tmp_path / "words"
        assert process.wait(timeout=300) == 130, words.read_text() + said_by_servers(Path(short))
        assert "danlu resume s" in words.read_text()
        assert "Traceback" not in words.read_text()
        again = [sys.executable, "-m", "danlu", "resume", "s", "--json", "--cluster", f"ray://{HERE}:{port}"]
        done = subprocess.run(again, check=False, capture_output=True, text=True, cwd=tmp_path, env=alone, timeout=400)
        assert done.returncode == 0, done.stderr
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(head.pid, signal.SIGKILL)
        head.wait(timeout=60)
        shutil.rmtree(short, ignore_errors=True)
    here = danlu.compare(**STACKS, folder=tmp_path / "here")
    assert scores(danlu.Study(tmp_path / "s")) == scores(here)
