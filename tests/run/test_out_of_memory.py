"""Out of memory: what had been done stands and goes on, the message says what to lower, and nothing ends in a page."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.base.memory import OutOfMemoryError, is_out_of_memory
from interruption import assert_same_end

ERRORS: list[Callable[[], Exception]] = [
    MemoryError,
    lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of …"),
    lambda: RuntimeError(
        "[enforce fail at alloc_cpu.cpp:126] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
        "allocate 4194304000 bytes. Error code 12 (Cannot allocate memory)"
    ),
    lambda: RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
    lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    lambda: RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error. … out of shared memory."),
    lambda: OSError(12, "Cannot allocate memory"),
]
NAMES = ["python", "cuda", "cpu", "mps", "cublas", "loader", "system"]
X = numpy.random.default_rng(0).normal(size=(60, 4)).astype("float32")
DATA = (X, (X.sum(1) > 0).astype("int64"))
SHORT: dict[str, Any] = {"batch_size": 8, "progress": False}


class Hungry(nn.Module):
    """Runs out of memory in training, once it has seen so many batches."""

    def __init__(self, error: Callable[[], Exception] | None = None, after: int = 10**9) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.error, self.left = error, after

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.left -= 1
            if self.left < 0 and self.error is not None:
                raise self.error()
        return self.layer(x)


def hungry(error: Callable[[], Exception] | None = None, after: int = 10**9) -> Hungry:
    torch.manual_seed(0)
    return Hungry(error, after)


@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
def test_whoever_says_it_is_understood(error: Callable[[], Exception]) -> None:
    assert is_out_of_memory(error())
    assert not is_out_of_memory(ValueError("out of memory"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.mark.every(3)
@pytest.mark.parametrize("error", ERRORS[:3], ids=NAMES[:3])
def test_a_run_that_memory_ended_goes_on(error: Callable[[], Exception], tmp_path: Path) -> None:
    settings: dict[str, Any] = {**SHORT, "epochs": 4, "checkpoint_steps": 5}
    whole = danlu.fit(hungry(), DATA, folder=tmp_path / "whole", **settings)
    with pytest.raises(OutOfMemoryError, match=r"train\.batch_size \(now 8\).*danlu resume"):
        danlu.fit(hungry(error, 17), DATA, folder=tmp_path / "run", **settings)
    assert_same_end(danlu.resume(tmp_path / "run", net=hungry(), data=DATA, progress=False), whole)


def test_memory_that_is_out_before_the_first_step_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError, match="train.batch_size"):
        danlu.fit(hungry(MemoryError, 0), DATA, folder=tmp_path / "run", epochs=1, **SHORT)
    assert list(tmp_path.iterdir()) == []


def test_members_of_a_study_that_memory_ends_are_told_and_tried_again(tmp_path: Path) -> None:
    left = [60]  # batches until memory is out, over all members

    class Together(Hungry):
        def forward(self, x: Tensor) -> Tensor:
            left[0] -= self.training
            if self.training and left[0] < 0:
                raise MemoryError
            return self.layer(x.clone() if x.sum() > 1e9 else x)  # what cannot be stacked

    def compare() -> danlu.Study:
        return danlu.compare(
            Together, DATA, vary={"lr": [0.1, 0.2]}, seeds=2, epochs=1, jobs=1, folder=tmp_path / "s", **SHORT
        )

    left[0] = 30
    with pytest.raises(OutOfMemoryError, match="danlu resume") as told:
        compare()
    assert str(tmp_path / "s") in str(told.value)
    study = danlu.Study(tmp_path / "s")
    assert [row for row in study.failed if "Out of memory" not in row["reason"]] == []
    left[0] = 10**9
    assert len(compare().members) == 4
    assert danlu.Study(tmp_path / "s").finished


def test_a_level_that_memory_cannot_hold_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("danlu.nets.room.memory_limit", lambda: 2**22)
    hidden = [[8], [9], [3000, 3000]]
    study = danlu.compare("mlp", DATA, vary={"hidden": hidden}, seeds=1, epochs=1, folder=tmp_path / "s", **SHORT)
    assert len(study.members) == 2
    assert "9,024,002 parameters" in study.failed[0]["reason"] or "parameters" in study.failed[0]["reason"]


WORK: dict[str, Callable[[Path, Any], Any]] = {
    "lr_find": lambda _, net: danlu.lr_find(net, DATA, points=8, steps=8, batch_size=8),
    "check": lambda _, net: danlu.check(net, DATA, batch_size=8),
    "search": lambda folder, net: danlu.search(
        lambda: copy.deepcopy(net), DATA, space={"lr": (0.1, 0.2)}, trainings=2, epochs=1, folder=folder, **SHORT
    ),
    "compare": lambda folder, net: danlu.compare(
        lambda: copy.deepcopy(net), DATA, vary={"lr": [0.1, 0.2]}, seeds=1, epochs=1, folder=folder, jobs=1, **SHORT
    ),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("verb", WORK)
@pytest.mark.parametrize("after", [0, 3])
def test_other_work_tells_it_as_well(verb: str, after: int, tmp_path: Path) -> None:
    with pytest.raises(danlu.UserError, match="Out of memory"):
        WORK[verb](tmp_path / "folder", hungry(ERRORS[2], after))


def test_answers_tell_it_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = danlu.fit("mlp", DATA, folder=tmp_path / "run", epochs=1, **SHORT)
    net = hungry(MemoryError, 0)
    net.eval()
    monkeypatch.setattr(net, "training", True)
    monkeypatch.setitem(run.__dict__, "_final_answerer", replace(run._final_answerer, net=net))
    with pytest.raises(OutOfMemoryError, match="fewer samples"):
        run.predict(X)
    with pytest.raises(OutOfMemoryError, match="points"):
        danlu.landscape(net, DATA, points=3)


LIMITED = """
import os, resource, sys
import numpy, danlu
from danlu.cli.main import main

x = numpy.random.default_rng(0).normal(size=(2600, 64)).astype("float32")
data = (x, x.sum(1))
small = dict(epochs=1, progress=False)
danlu.fit("mlp", (x[:100], x[:100].sum(1)), folder="warm", **small)
pages = int(open("/proc/self/statm").read().split()[0])
before = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 50 * 2**20, before[1]))
large = dict(hidden=[4000], batch_size=1800, **small)
try:
    danlu.fit("mlp", data, folder="run", **large)
except danlu.OutOfMemoryError as error:
    print("fit:", error)
try:
    danlu.compare("mlp", data, vary={"lr": [0.01, 0.02]}, seeds=1, folder="study", jobs=1, **large)
except danlu.UserError as error:
    print("compare:", error)
print("code:", main(["fit", "--lang", "zh", "--data", "digits", "--net", "mlp", "net.hidden=200000", "--name", "no"]))
resource.setrlimit(resource.RLIMIT_AS, before)
print("resumed:", danlu.resume("run", data=data, progress=False).finished)
print("study:", danlu.resume("study", data=data, jobs=1, progress=False).finished)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ulimit -v holds on Linux")
def test_under_a_limit_of_the_system(tmp_path: Path) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DANLU_LANG": "en"}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    told = {line.partition(": ")[0]: line.partition(": ")[2] for line in done.stdout.splitlines()}
    assert "train.batch_size (now 1800)" in told["fit"]
    assert "danlu resume run" in told["fit"]
    assert "Out of memory" in told["compare"]
    assert (told["code"], told["resumed"], told["study"]) == ("2", "True", "True")
    assert "内存" in done.stderr
    assert not (tmp_path / "runs" / "no").exists() or (tmp_path / "runs" / "no" / "recipe.toml").is_file()
