"""What watching costs: the loop people write by hand, bare and inside `with danlu.watch(...)`, in one run.

    python benchmarks/bench_watch.py [--repeats 9] [--only lenet5]

Every repeat runs both, in turn first and second; a ratio is the median over repeats of the ratios inside a repeat.
Most of what watching costs is the same for every training, so the length matters: 3,000 steps, but for the small ResNet
300. Times are processor seconds of one thread, for the machine has other work and these nets gain nothing by a second
one. The weights at the end must agree to the last bit. Entering and leaving the block, with the last judgement, count
as cost. Memory is the peak of a process that does nothing else.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

import danlu


@dataclass(frozen=True)
class Task:
    """One training: a net, the shape of its samples, and how long it is."""

    net: Callable[[], nn.Module]
    shape: tuple[int, ...]
    classes: int
    batch: int
    steps: int
    allowed: float


def _plain_resnet() -> nn.Module:
    return danlu.nets.build("small-resnet", {}, sample_shape=(3, 32, 32), outputs=10, task="classification")


def _lenet() -> nn.Module:
    return danlu.nets.LeNet5()


TASKS = {
    "tiny 20-32-2": Task(
        lambda: nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 2)), (20,), 2, 32, 3000, 1.05
    ),
    "MLP 784-128-10": Task(
        lambda: nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)), (784,), 10, 64, 3000, 1.02
    ),
    "LeNet-5": Task(_lenet, (1, 28, 28), 10, 64, 3000, 1.02),
    "small ResNet": Task(_plain_resnet, (3, 32, 32), 10, 32, 300, 1.01),
}


def train(task: Task, *, watched: bool) -> tuple[float, list[torch.Tensor]]:
    """Seconds of the whole loop, and the weights it ends with."""
    torch.manual_seed(0)
    net = task.net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    x = torch.randn(64 * task.batch, *task.shape)
    y = torch.randint(0, task.classes, (len(x),))
    order = torch.randperm(len(x))
    begin = time.process_time()
    with danlu.watch(net, optimizer, shown=False) if watched else nullcontext():
        for step in range(task.steps):
            place = step % 64 * task.batch
            chosen = order[place : place + task.batch]
            inputs, targets = x[chosen], y[chosen]
            optimizer.zero_grad()
            loss = F.cross_entropy(net(inputs), targets)
            loss.backward()
            optimizer.step()
    return time.process_time() - begin, [parameter.detach() for parameter in net.parameters()]


def compare(name: str, repeats: int) -> None:
    """Print one line: microseconds a step, the ratio, and what is allowed."""
    task = TASKS[name]
    train(task, watched=True)
    ratios, bare_times = [], []
    for repeat in range(repeats):
        times = {}
        for watched in (False, True) if repeat % 2 else (True, False):
            times[watched], weights = train(task, watched=watched)
            if watched:
                with_watch = weights
            else:
                without = weights
        assert all(torch.equal(one, other) for one, other in zip(with_watch, without, strict=True)), "weights differ"
        ratios.append(times[True] / times[False])
        bare_times.append(times[False] / task.steps)
    ratio = statistics.median(ratios)
    memory = peak(name, watched=True) / peak(name, watched=False)
    print(
        f"| {name} | {task.steps:,} | {1e6 * statistics.median(bare_times):,.0f} "
        f"| {ratio:.3f} | {task.allowed:.2f} | {memory:.3f} | 1.05 |",
        flush=True,
    )


def peak(name: str, *, watched: bool) -> int:
    """Peak memory of a process of its own, in KiB."""
    words = [sys.executable, __file__, "--peak", name, *(["--watched"] if watched else [])]
    return int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--only", default="")
    parser.add_argument("--peak")
    parser.add_argument("--watched", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.peak:
        train(TASKS[arguments.peak], watched=arguments.watched)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        return
    print("| net | steps | µs a step | watched, times | asked ≤ | memory, times | asked ≤ |")
    print("|---|---|---|---|---|---|---|")
    for name in TASKS:
        if arguments.only.lower() in name.lower():
            compare(name, arguments.repeats)


if __name__ == "__main__":
    main()
