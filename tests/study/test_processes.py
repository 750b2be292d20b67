"""Members in processes of their own: the same results, failures told, and a study that survives a kill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import joblib
import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.base.seeds import use_threads
from danlu.study import costs, processes
from danlu.study.compare import go_on, planned
from danlu.study.costs import with_costs
from danlu.study.plan import Planned
from danlu.study.processes import chosen_jobs
from danlu.study.study import Study

# Rprop has no stacked form.
RPROP: dict[str, Any] = {"optim.name": "rprop"}
SINGLE: dict[str, Any] = {"net": "mlp", "data": "iris", **RPROP, "progress": False}
TYPED = ("compare", "--net", "mlp", "--data", "digits", "optim.name=rprop", "train.epochs=12", "--jobs", "2")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As many threads here as in a process, so that sums are added up in one order."""
    before = use_threads(1)
    yield
    use_threads(before)


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "cores", lambda: 2)


def scores(study: Study) -> dict[str, dict[str, float]]:
    return {f"{member.factors} {member.seed} {member.fold}": dict(member.score) for member in study.members}


@pytest.mark.slow
def test_results_are_those_of_one_after_another(tmp_path: Path) -> None:
    asked: dict[str, Any] = {**SINGLE, "vary": {"lr": [0.001, 0.01]}, "seeds": 2, "epochs": 3}
    beside = danlu.compare(**asked, jobs=2, folder=tmp_path / "beside")
    after = danlu.compare(**asked, jobs=1, folder=tmp_path / "after")
    assert scores(beside) == scores(after)
    assert len(beside.members) == 4
    assert beside.best is not None
    assert after.best is not None
    assert beside.best.test == after.best.test
    assert not list((tmp_path / "beside" / "members").glob("stop"))


def sometimes_failing(failing: str) -> Any:
    """Builds a net that fails in mid-training where its first weight is positive; each kind in its own way."""
    here = os.getpid()

    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3)
            self.fails = float(self.layer.weight.detach()[0, 0]) > 0
            self.calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += self.training
            if self.fails and self.calls > 12:
                if failing == "raises":
                    raise ZeroDivisionError("a mistake of mine")
                if os.getpid() != here:
                    os._exit(1)
            return self.layer(x)

    return Failing


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_member_that_fails_is_told_and_the_rest_go_on(tmp_path: Path, jobs: int) -> None:
    study = danlu.compare(
        sometimes_failing("raises"),
        "iris",
        vary={"lr": [0.001, 0.01]},
        seeds=6,
        epochs=3,
        jobs=jobs,
        folder=tmp_path / "s",
        progress=False,
        **RPROP,
    )
    failed = [one for one in study.failed if "seed" in one]
    assert failed
    assert study.members
    assert len(failed) + len(study.members) == 12
    assert all(one["reason"] == "ZeroDivisionError: a mistake of mine" for one in failed)
    assert study.best is not None


def test_a_stack_that_fails_is_tried_singly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training and len(x) == 9:  # the last batch of the training part, which no trial sees
                raise ZeroDivisionError("a mistake of mine")
            return self.layer(x)

    study_of: dict[str, Any] = {"data": "iris", "vary": {"lr": [0.001, 0.01]}, "seeds": 2, "epochs": 1}
    with pytest.raises(UserError, match="Nothing could be trained: ZeroDivisionError: a mistake of mine"):
        danlu.compare(Failing, **study_of, batch_size=32, jobs=1, folder=tmp_path / "s")
    assert "the stack could not be trained (ZeroDivisionError: a mistake of mine)" in capfd.readouterr().err
    assert len([one for one in Study(tmp_path / "s").failed if "seed" in one]) == 4


@pytest.mark.slow
def test_a_process_that_dies_is_told(tmp_path: Path) -> None:
    study_of: dict[str, Any] = {"vary": {"lr": [0.001, 0.01]}, "seeds": 6, "epochs": 3, "optim.name": "rprop"}
    try:
        study = danlu.compare(
            sometimes_failing("dies"), "iris", **study_of, jobs=2, folder=tmp_path / "s", progress=False
        )
    except UserError:
        study = Study(tmp_path / "s")
    failed = [one for one in study.failed if "seed" in one]
    assert len(failed) + len(study.members) == 12
    assert all("The worker process died" in one["reason"] for one in failed)


def test_short_trainings_run_one_after_another_and_long_ones_beside_each_other(two_cores: None) -> None:
    short = chosen_jobs(None, 10, device="cpu", alone=lambda: (0.1, 0.2))
    assert (short.count, short.why.id) == (1, "study.jobs-too-short")
    long = chosen_jobs(None, 10, device="cpu", alone=lambda: (10.0, 15.0))
    assert (long.count, long.why.id) == (2, "study.jobs-pay")
    assert str(long.why) == "2 processes: about 83 s in place of 100 s one after another"
    # Operations that use all cores well leave nothing to win.
    assert chosen_jobs(None, 10, device="cpu", alone=lambda: (10.0, 20.0)).count == 1


def test_what_else_decides(two_cores: None) -> None:
    def never() -> tuple[float, float]:
        raise AssertionError("timed for nothing")

    assert chosen_jobs(3, 10, device="cpu", alone=never).count == 3
    assert chosen_jobs(3, 2, device="cpu", alone=never).count == 2
    assert chosen_jobs(None, 1, device="cpu", alone=never).why.id == "study.jobs-nothing-beside"
    assert chosen_jobs(None, 10, device="cuda", alone=never).why.id == "study.jobs-one-device"
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert chosen_jobs(None, 10, device="cuda", alone=never).count == 2
    with joblib.parallel_config(backend="threading", n_jobs=2):
        threads = chosen_jobs(None, 10, device="cpu", alone=never)
    assert (threads.count, threads.why.id) == (1, "study.jobs-threads")


def test_the_plan_says_in_how_many_processes_and_why(two_cores: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(planned: Planned) -> float:
        return 1.0

    monkeypatch.setattr(costs, "pace_alone", slow)
    plan, _, _ = planned("mlp", "iris", vary={"lr": [0.001, 0.01]}, seeds=2, **RPROP)
    rows = with_costs(plan)
    assert [row["jobs"] for row in rows] == [2, 2]
    assert rows[0]["jobs_reason"].startswith("2 processes: about")
    assert [row["jobs"] for row in with_costs(plan, jobs=1)] == [1, 1]


@pytest.mark.parametrize("jobs", [0, -1])
def test_no_process_is_a_mistake(jobs: int) -> None:
    with pytest.raises(UserError, match="a whole number from 1"):
        danlu.compare(**SINGLE, vary={"lr": [0.001, 0.01]}, jobs=jobs)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    before = use_threads(1)
    study = danlu.compare(
        "mlp",
        "digits",
        vary={"lr": [0.001, 0.01]},
        seeds=2,
        epochs=12,
        jobs=1,
        folder=tmp_path_factory.mktemp("undisturbed"),
        progress=False,
        **RPROP,
    )
    use_threads(before)
    return scores(study)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_study_stopped_or_killed_goes_on_and_ends_the_same(
    tmp_path: Path, number: signal.Signals, undisturbed: dict[str, dict[str, float]]
) -> None:
    command = [sys.executable, "-m", "danlu", *TYPED, "--vary", "optim.lr=0.001,0.01", "--seeds", "2", "--folder", "s"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (tmp_path / "told").open("w+") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told, cwd=tmp_path, env=environment)
        for _ in range(1200):
            begun = [path for path in tmp_path.glob("s/members/*/journal.jsonl") if '"epoch"' in path.read_text()]
            if len(begun) >= 2:
                break
            assert process.poll() is None, (tmp_path / "told").read_text()
            time.sleep(0.05)
        process.send_signal(number)
        assert process.wait(timeout=60) == (-9 if number == signal.SIGKILL else 130)
    study = go_on(tmp_path / "s", jobs=1, progress=False)
    assert study.finished
    assert not study.failed
    assert scores(study) == undisturbed
    words = (tmp_path / "told").read_text()
    assert "Traceback" not in words
    assert number == signal.SIGKILL or "danlu resume s\n" in words
