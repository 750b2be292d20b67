"""What a stack costs: time and memory of 1, 2, 4 … members; which nets gain by it, and what is trained one by one.

python benchmarks/study_costs.py [--repeats 5] [--only growth fallback alone] [--most 1024]
"""

import argparse
import gc
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import danlu
from danlu.stack import FoldRows, StackMember, faster_stacked, stackable
from danlu.stack.optimisers import STACKED
from danlu.train.optimisers import OPTIMISERS
from study import CPU, Case, digits_data, perceptron, recipe, timed

_TRIED = 3_000_000  # weights: larger nets are judged by their layers


def fallback(repeats: int) -> None:
    """Whether the short timing takes the faster way, for nets of all kinds."""
    x, y = torch.randn(512, 1, 28, 28), torch.randint(10, (512,))
    fold = FoldRows(x, y, torch.arange(512))
    print("\nper step and member, 16 members, batch 32, by the short timing")
    for name in ("mlp", "lenet5", "small-inception", "small-resnet", "small-densenet"):
        members = [StackMember(recipe(0.01, seed, 1, 32)) for seed in range(16)]
        options: dict[str, Any] = {"depth": 8} if name == "small-resnet" else {"depth": 10} if "dense" in name else {}
        nets = [
            danlu.nets.build(name, options, sample_shape=(1, 28, 28), outputs=10, task="classification").to(
                memory_format=torch.channels_last  # type: ignore[call-overload]
            )
            for _ in members
        ]
        timings = [faster_stacked(nets, members, [fold], device=CPU) for _ in range(repeats)]
        ratio = statistics.median(timing.alone / timing.stacked for timing in timings)
        size = timings[-1].most_members
        print(f"  {name:16} alone {timings[-1].alone * 1e3:8.3f} ms   {ratio:6.2f} × in stacks of {size}", flush=True)


def left_alone() -> None:
    """What is trained one by one, and why: of danlu's nets and optimisers."""
    print("\nwhy a net cannot be stacked")
    for name in danlu.nets.names():
        net, shape = danlu.nets.example(name, {}, None)  # weighs nothing
        size = sum(parameter.numel() for parameter in net.parameters())
        sample = None
        if size < _TRIED:
            net = net.to_empty(device="cpu")
            for tensor in (*net.parameters(), *net.buffers()):
                torch.nn.init.ones_(tensor) if tensor.dim() < 2 else torch.nn.init.normal_(tensor, std=0.05)
            tokens = getattr(net, "sample_dtype", torch.float32) != torch.float32
            sample = torch.ones(4, *shape, dtype=torch.long) if tokens else torch.randn(4, *shape)
        fault = stackable(net, sample)
        print(f"  {name:24} {fault or '-'}{'' if sample is not None else ' (by its layers; not tried)'}", flush=True)
    print(f"optimisers: {', '.join(sorted(set(OPTIMISERS) - set(STACKED)))}")


def grow(most: int) -> None:
    """Time and memory of 1, 2, 4 … members: digits, MLP 64-64-10, one epoch; each count in a process of its own."""
    print("\nhow cost grows: digits, MLP 64-64-10, batch 32, 10 epochs, one fold")
    count = 1
    while count <= most:
        code = [sys.executable, __file__, "--members", str(count)]
        print(subprocess.run(code, capture_output=True, text=True, check=True).stdout.rstrip(), flush=True)
        count *= 2


def one_count(count: int) -> None:
    x, y = digits_data()
    fold = FoldRows(x, y, torch.arange(1437), torch.arange(1437, 1797))
    members = [StackMember(recipe(0.01 * (1 + k % 8), k // 8, 10, 32)) for k in range(count)]
    case = Case("", {}, [fold], members, perceptron, "classification", 10)
    case.danlu(members[:1])
    more = peak_beyond(lambda: case.danlu(members))  # first: what was freed once stays with the process
    took = min(timed(lambda: case.danlu(members)) for _ in range(3))
    memory = "" if more is None else f"   {more:7.1f} MiB more"
    print(f"  {count:5} members {took:8.3f} s   {took / count * 1e3:8.2f} ms each{memory}")


def peak_beyond(work: Callable[[], object]) -> float | None:
    """By how many MiB the resident memory of this process grows at most while `work` is done; None but on Linux. The
    highest mark is forgotten first, which imports have left far above what small work needs."""
    mark = Path("/proc/self/clear_refs")
    if not mark.exists():
        return None
    gc.collect()
    mark.write_text("5")
    before = _resident("VmRSS")
    work()
    return (_resident("VmHWM") - before) / 1024


def _resident(name: str) -> int:
    """A figure of /proc/self/status in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--most", type=int, default=1024, help="members")
    parser.add_argument("--only", nargs="*", default=["growth", "fallback", "alone"])
    parser.add_argument("--members", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.members:
        one_count(arguments.members)
        return
    if "growth" in arguments.only:
        grow(arguments.most)
    if "fallback" in arguments.only:
        fallback(arguments.repeats)
    if "alone" in arguments.only:
        left_alone()


if __name__ == "__main__":
    main()
