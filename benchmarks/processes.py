"""One training over 1, 2 and 4 processes: how fast, and how far the weights are from those of one process.

    OMP_NUM_THREADS=1 python benchmarks/processes.py --repeats 3

Samples a second of a net whose step takes 50 ms and more in one thread, each process with one thread; and the largest
difference of any tensor after 200 steps of a small net in single precision, over that tensor's norm.
"""

import argparse
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy
import torch

import danlu
from danlu.base.events import Event, StepDone
from danlu.train.checkpoint import load_newest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from several_processes import in_processes

WORLDS = (1, 2, 4)
PLAIN = {"name": "mlp", "hidden": [32], "norm": "batch"}
WARM, STEPS = 2, 8
LARGE: dict[str, Any] = {"batch_size": 512, "epochs": 1, "progress": False, "watch": False, "processes": 1}


def large(folder: Path, exact: bool | None) -> float:
    """Samples a second of the steps after the first few."""
    stream = numpy.random.default_rng(0)
    x = stream.normal(size=(512 * (STEPS + 2), 784)).astype("float32")
    y = (x[:, :10]).argmax(1)
    times: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, StepDone):
            times.append(time.perf_counter())

    settings = {**LARGE, "data.validation": 0.01, "data.test": 0.01, "exact": exact}
    danlu.fit({"name": "mlp", "hidden": [1024, 1024]}, (x, y), folder=folder, listeners=[hear], **settings)
    return 512 * (len(times) - 1 - WARM) / (times[-1] - times[WARM]) if times else 0.0  # only the first one hears


def small(folder: Path, exact: bool | None) -> None:
    """200 steps and a few more."""
    settings = {"batch_size": 45, "epochs": 8, "progress": False, "watch": False, "processes": 1, "exact": exact}
    danlu.fit(PLAIN, "digits", folder=folder, weights="last", **settings)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """What a training ended with."""
    newest = load_newest(folder / "checkpoints").checkpoint
    assert newest is not None
    return newest.parts["weights"]


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest difference of a tensor over its norm."""
    return max(float((one[key].double() - other[key].double()).norm() / one[key].double().norm()) for key in one)


def main() -> None:
    """Measure in turns, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    kinds = [(world, exact) for exact in (None, True) for world in WORLDS]
    rates: dict[Any, list[float]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for repeat in range(asked.repeats):
            for world, exact in kinds:
                name = f"{repeat}-{world}-{exact}"
                told = in_processes(world, folder / f"meeting-{name}", large, folder / name, exact)
                rates[world, exact].append(told[0])
                print(name, f"{told[0]:,.0f} samples/s, load {os.getloadavg()[0]:.1f}", flush=True)
        for world, exact in kinds:
            in_processes(
                world, folder / f"small-meeting-{world}-{exact}", small, folder / f"small-{world}-{exact}", exact
            )
        print("| processes | exact | samples a second | ratio to one process | relative difference | the same bits |")
        print("|---|---|---|---|---|---|")
        for world, exact in kinds:
            pairs = zip(rates[world, exact], rates[1, None], strict=True)
            ratio = statistics.median(own / alone for own, alone in pairs)
            first, own = weights(folder / f"small-1-{exact}"), weights(folder / f"small-{world}-{exact}")
            same = all(torch.equal(first[key], own[key]) for key in first)
            cells = (world, "yes" if exact else "no", f"{statistics.median(rates[world, exact]):,.0f}", f"{ratio:.2f}")
            print("|", " | ".join(map(str, cells)), f"| {difference(first, own):.1e} | {'yes' if same else 'no'} |")
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
