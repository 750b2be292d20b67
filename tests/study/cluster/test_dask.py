"""Studies on a real Dask cluster: to the last bit those of this machine, whatever becomes of the workers."""

import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.errors import UserError
from danlu.base.seeds import use_threads
from danlu.study import reached as connect
from danlu.study.compare import go_on

distributed = pytest.importorskip("distributed")

from real_clusters import DaskHere, environment, free_port, kill, wait_until  # noqa: E402  (its library may be missing)

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

STACKS: dict[str, Any] = {
    "net": "mlp", "data": "digits", "vary": {"lr": [0.01, 0.1]}, "seeds": 12, "epochs": 60, "hidden": [64, 64],
    "progress": False,
}  # fmt: skip
# Rprop has no stacked form.
SINGLY: dict[str, Any] = {
    "net": "mlp", "data": "iris", "optim.name": "rprop", "vary": {"lr": [0.001, 0.01]}, "seeds": 2, "epochs": 3,
    "progress": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def as_two_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As many stacks side by side here as there, each with one thread."""
    monkeypatch.setattr("danlu.stack.train.cores", lambda: 2)
    before = use_threads(1)
    yield
    use_threads(before)


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskHere]:
    here = DaskHere(tmp_path_factory.mktemp("dask"))
    try:
        here.begin(workers=2)
        yield here
    finally:
        here.end()


def scores(study: danlu.Study) -> dict[str, dict[str, float]]:
    return {f"{member.factors} {member.seed} {member.fold}": dict(member.score) for member in study.members}


def told_of(study: danlu.Study) -> list[str]:
    """The members in its journal, each as often as it stands there."""
    return [f"{one.factors} {one.seed} {one.fold}" for one in study.history.members]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> danlu.Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("danlu.stack.train.cores", lambda: 2)
        return danlu.compare(**STACKS, folder=tmp_path_factory.mktemp("here"))


def test_a_worker_killed_in_mid_stack_costs_its_stack_alone(
    dask: DaskHere, here: danlu.Study, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    killed: list[int] = []

    def one_dies() -> None:
        with dask.client() as client:
            wait_until(lambda: min(dask.busy(client).values(), default=0) > 0)
            time.sleep(1.0)
            killed.append(next(iter(dask.busy(client))))
            kill(killed[0])

    murderer = threading.Thread(target=one_dies)
    murderer.start()
    there = danlu.compare(**STACKS, folder=tmp_path / "there", cluster=dask.address)
    murderer.join()
    dask.add_worker()
    dask.wait_for(2)
    assert killed
    assert scores(there) == scores(here)
    assert sorted(told_of(there)) == sorted(told_of(here))
    assert len(set(told_of(there))) == len(told_of(there)) == 24
    assert there.best is not None
    assert here.best is not None
    assert there.best.test == here.best.test
    assert len(there.history.curves) == len(here.history.curves)
    assert "Traceback" not in capfd.readouterr().err


def test_trainings_that_cannot_be_stacked_come_back_from_lots(dask: DaskHere, tmp_path: Path) -> None:
    there = danlu.compare(**SINGLY, folder=tmp_path / "there", cluster=dask.address)
    here = danlu.compare(**SINGLY, folder=tmp_path / "here", jobs=1)
    assert scores(there) == scores(here)
    assert len(there.members) == 4
    assert not (tmp_path / "there" / "members").exists()
    assert there.history.curves


def test_a_client_of_dask_and_the_backend_of_joblib_are_clusters_too(dask: DaskHere, tmp_path: Path) -> None:
    import joblib

    asked = {**STACKS, "seeds": 3, "epochs": 1, "vary": {"lr": [0.01, 0.1]}}
    with dask.client() as client:
        given = danlu.compare(**asked, folder=tmp_path / "given", cluster=client)
        with joblib.parallel_config(backend="dask", client=client):
            told = danlu.compare(**asked, folder=tmp_path / "told")
        assert client.status == "running"
        wait_until(lambda: not any(client.run(lambda dask_worker: list(dask_worker.state.tasks)).values()))
    assert scores(given) == scores(told)


def test_stopped_by_ctrl_c_and_resumed_by_another_client(dask: DaskHere, here: danlu.Study, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "danlu", "compare", "--net", "mlp", "--data", "digits", "--vary", "optim.lr=0.01,0.1",
        "--seeds", "12", "train.epochs=60", "net.hidden=[64, 64]", "--folder", "s", "--cluster", dask.address,
    ]  # fmt: skip
    with (tmp_path / "told").open("w+") as told, dask.client() as client:
        process = subprocess.Popen(command, stdout=told, stderr=told, cwd=tmp_path, env=environment())
        wait_until(lambda: sum(dask.busy(client).values()) > 0 or process.poll() is not None, tmp_path / "told")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=120) == 130, (tmp_path / "told").read_text()
        wait_until(lambda: not any(client.run(lambda dask_worker: dask_worker.state.executing_count).values()))
    words = (tmp_path / "told").read_text()
    assert "Traceback" not in words
    assert "danlu resume s" in words
    resumed = go_on(tmp_path / "s", cluster=dask.address, progress=False)
    assert scores(resumed) == scores(here)
    assert resumed.finished
    kept = [path.read_text() for path in (tmp_path / "s").rglob("*") if path.suffix in (".json", ".jsonl", ".html")]
    assert kept
    assert not any("127.0.0.1" in text or "dask" in text for text in kept)


def test_other_versions_there_are_refused_before_anything_is_trained(
    dask: DaskHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect, "_version", lambda: "9.9")
    monkeypatch.setattr(connect, "hardware", lambda device: {"torch": "1.0", "python": platform.python_version()})
    with pytest.raises(UserError, match=r"another version of danlu .*\n.*another version of torch"):
        danlu.compare(**SINGLY, folder=tmp_path / "s", cluster=dask.address)
    assert not (tmp_path / "s").exists()


def test_where_no_scheduler_listens_it_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no scheduler answers there"):
        danlu.compare(**SINGLY, folder=tmp_path / "s", cluster=f"dask://127.0.0.1:{free_port()}")
    assert not (tmp_path / "s").exists()
