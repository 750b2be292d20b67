"""One training over 1, 2 and 4 processes: how fast, and how far the weights are from those of one process.

    OMP_NUM_THREADS=1 python benchmarks/processes.py --repeats 3

Samples a second of a net whose step takes 50 ms and more in one thread, each process with one thread; and the largest
difference of any tensor after 200 steps of a small net in single precision, over that tensor's norm.
"""

import argparse
import itertools
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import torch

import danlu
from danlu.base.events import Event, StepDone
from danlu.base.places import launched
from danlu.train.checkpoint import load_newest
from danlu.train.distributed.group import joined

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from several_processes import in_processes

WORLDS = (1, 2, 4)
PLAIN = {"name": "mlp", "hidden": [32], "norm": "batch"}


def convolutions() -> torch.nn.Module:
    """A net of 200,000 weights, whose layers' outputs fit the cache of a core."""
    layers: list[torch.nn.Module] = [torch.nn.Conv2d(3, 64, 3, stride=4, padding=1), torch.nn.ReLU()]
    for _ in range(5):
        layers += [torch.nn.Conv2d(64, 64, 3, padding=1), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 10))


WARM, STEPS = 2, 40
# Many weights to send for little work, and few for much.
NETS: dict[str, tuple[int, tuple[int, ...], Callable[[], Any]]] = {
    "two layers of 1,024": (512, (784,), lambda: {"name": "mlp", "hidden": [1024, 1024]}),
    "six convolutions": (128, (3, 32, 32), convolutions),
}
LARGE: dict[str, Any] = {"epochs": 1, "progress": False, "watch": False, "processes": 1}


def on_one_core() -> None:
    """A process that has the machine to itself would take a thread a core."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(os.environ["RANK"]) % len(cores)]})


def by_hand(net: str) -> float:
    """Samples a second of the same net in DistributedDataParallel."""
    on_one_core()
    batch, shape, made = NETS[net]
    with joined(launched()) as group:
        own = made()
        if isinstance(own, dict):
            own = mlp((*shape, *own["hidden"], 10))
        model = torch.nn.parallel.DistributedDataParallel(own) if group.world > 1 else own
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        times: list[float] = []
        x, y = torch.randn(batch // group.world, *shape), torch.randint(10, (batch // group.world,))
        for _ in range(STEPS):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            times.append(time.perf_counter())
    return batch * (len(times) - 1 - WARM) / (times[-1] - times[WARM])


def mlp(sizes: tuple[int, ...]) -> torch.nn.Module:
    """Linear layers with a ReLU between."""
    layers = [
        one for before, after in itertools.pairwise(sizes) for one in (torch.nn.Linear(before, after), torch.nn.ReLU())
    ]
    return torch.nn.Sequential(*layers[:-1])


def large(folder: Path, net: str, exact: bool | None) -> float:
    """Samples a second of the steps after the first few."""
    on_one_core()
    stream = numpy.random.default_rng(0)
    batch, shape, made = NETS[net]
    x = stream.normal(size=(batch * (STEPS + 2), *shape)).astype("float32")
    y = x.reshape(len(x), -1)[:, :10].argmax(1)
    times: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, StepDone):
            times.append(time.perf_counter())

    settings = {**LARGE, "batch_size": batch, "data.validation": 0.01, "data.test": 0.01, "exact": exact}
    danlu.fit(made(), (x, y), folder=folder, listeners=[hear], **settings)
    return batch * (len(times) - 1 - WARM) / (times[-1] - times[WARM]) if times else 0.0  # only the first one hears


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


HAND = "by hand"
KINDS = [(world, exact) for exact in (None, True, HAND) for world in WORLDS]


def measured(folder: Path, net: str, repeats: int) -> dict[Any, list[float]]:
    """Samples a second of each kind, in turns."""
    rates: dict[Any, list[float]] = {kind: [] for kind in KINDS}
    for repeat in range(repeats):
        for world, exact in KINDS:
            name = f"{net}-{repeat}-{world}-{exact}".replace(" ", "-").replace(",", "")
            meeting = folder / f"meeting-{name}"
            if exact == HAND:
                told = in_processes(world, meeting, by_hand, net)
            else:
                told = in_processes(world, meeting, large, folder / name, net, exact)
            rates[world, exact].append(told[0])
            print(name, f"{told[0]:,.0f} samples/s, load {os.getloadavg()[0]:.1f}", flush=True)
    return rates


def speeds(net: str, rates: dict[Any, list[float]]) -> None:
    """A table of them; the efficiency is against so many times what one process does that goes about it alike."""
    print(f"\n{net}\n\n| processes | exact | samples a second | ratio to one process | efficiency |\n{'|---' * 5}|")
    for world, exact in KINDS:
        ratio, own = (
            statistics.median(own / one for own, one in zip(rates[world, exact], rates[base], strict=True))
            for base in ((1, None), (1, exact))
        )
        way = exact if exact == HAND else "yes" if exact else "no"
        print(f"| {world} | {way} | {statistics.median(rates[world, exact]):,.0f} | {ratio:.2f} | {own / world:.2f} |")


def same_weights(folder: Path) -> None:
    """A table of how far the weights lie from those of one process."""
    print("\n| processes | exact | relative difference | the same bits |\n|---|---|---|---|")
    for exact in (None, True):
        for world in WORLDS:
            in_processes(world, folder / f"meeting-{world}-{exact}", small, folder / f"small-{world}-{exact}", exact)
            first, own = weights(folder / f"small-1-{exact}"), weights(folder / f"small-{world}-{exact}")
            same = all(torch.equal(first[key], own[key]) for key in first)
            way = "yes" if exact else "no"
            print(f"| {world} | {way} | {difference(first, own):.1e} | {'yes' if same else 'no'} |")


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as scratch:
        for net in NETS:
            speeds(net, measured(Path(scratch), net, asked.repeats))
        same_weights(Path(scratch))
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
