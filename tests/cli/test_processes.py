"""Commands that train in several processes: as one command, and as torchrun starts them."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

import danlu

FIT = ("-m", "danlu", "fit", "mlp", "iris", "train.epochs=2", "--folder", "run")
STARTED = {
    "one command": (*FIT, "train.processes=2"),
    "torchrun": ("-m", "torch.distributed.run", "--nproc-per-node", "2", *FIT),
}


@pytest.mark.slow
@pytest.mark.parametrize("way", STARTED)
def test_one_run_is_written_which_is_that_of_one_process(way: str, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, *STARTED[way]], cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False
    )
    assert told.returncode == 0, told.stderr
    assert told.stderr.count("epoch 2/2") == told.stdout.count("validation  loss") == 1
    assert "2 processes share each batch" in told.stderr
    run = danlu.Run(tmp_path / "run")
    alone = danlu.fit("mlp", "iris", epochs=2, progress=False, folder=tmp_path / "alone")
    for one, other in zip(run.net().parameters(), alone.net().parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_mistake_is_told_once(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, *FIT, "train.processes=2", "optim.lr=fast"],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert told.returncode == 2
    assert told.stderr.count("✖") == 1 and "Traceback" not in told.stderr
    assert not (tmp_path / "run").exists()
