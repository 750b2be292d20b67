"""Kill random processes of a small exact training at random moments: the end must have the bits of an undisturbed one.

Each trial begins with 1 to 4 processes, of which one is killed, so that all end; it is resumed with another number, of
which one is killed again, and torch's elastic launcher starts them anew.

    OMP_NUM_THREADS=1 python benchmarks/process_kills.py --trials 20
"""

import argparse
import logging
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

import danlu
from danlu.train.checkpoint import load_newest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from several_processes import in_processes

WORKERS = 4


def fit(folder: Path) -> None:
    """Train, or go on: a net with dropout and batch norm, a last batch that divides by no number of processes."""
    if (folder / "recipe.toml").exists():
        danlu.resume(folder, progress=False)
        return
    settings: dict[str, Any] = {"exact": True, "virtual_workers": WORKERS, "checkpoint_steps": 5, "watch": False}
    net = {"name": "mlp", "hidden": [24], "dropout": 0.3, "norm": "batch"}
    danlu.fit(net, "digits", epochs=3, batch_size=45, folder=folder, progress=False, **settings)


def end(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors that a training ended with."""
    newest = load_newest(folder / "checkpoints").checkpoint
    assert newest is not None
    return {f"{part} {name}": one for part, tensors in newest.parts.items() for name, one in tensors.items()}


def killing(scratch: Path, world: int, seconds: float, draw: random.Random) -> int:
    """Fork a process that kills one of `world` others at a random moment; its id."""
    rank, moment = draw.randrange(world), draw.uniform(0.0, seconds)
    killer = os.fork()
    if killer:
        return killer
    file = scratch / f"process-{rank}"
    while not file.exists() or not file.read_text():
        time.sleep(0.005)
    time.sleep(moment)
    try:
        os.kill(int(file.read_text()), signal.SIGKILL)
    except ProcessLookupError:
        os._exit(1)
    os._exit(0)


def trial(number: int, folder: Path, reference: dict[str, torch.Tensor], seconds: float) -> tuple[int, bool, list[int]]:
    """How many processes were killed, whether the end is the same, and how many there were each time."""
    draw, killed = random.Random(number), 0
    worlds = draw.sample(range(1, WORKERS + 1), 2)
    for turn, world in enumerate(worlds):
        scratch = folder / f"meeting-{number}-{turn}"
        killer = killing(scratch, world, seconds, draw)
        try:
            in_processes(world, scratch, fit, folder / f"run-{number}", restarts=3 * turn)
        except ChildFailedError:
            if turn:
                raise
        killed += os.waitpid(killer, 0)[1] == 0
    found = end(folder / f"run-{number}")
    same = found.keys() == reference.keys() and all(torch.equal(found[key], reference[key]) for key in found)
    return killed, same, worlds


def main() -> None:
    """Carry out the trials, and tell each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        begin = time.monotonic()
        fit(folder / "alone")
        print(f"alone: {time.monotonic() - begin:.1f} s, load {os.getloadavg()[0]:.1f}", flush=True)
        reference, killed, same = end(folder / "alone"), 0, 0
        begin = time.monotonic()
        in_processes(2, folder / "meeting", fit, folder / "two")
        seconds = time.monotonic() - begin
        print(f"two: {seconds:.1f} s", flush=True)
        for number in range(asked.first, asked.first + asked.trials):
            begin = time.monotonic()
            kills, equal, worlds = trial(number, folder, reference, seconds)
            killed, same = killed + kills, same + equal
            told = f"{number}: processes {worlds}, {kills} killed, {'the same bits' if equal else 'DIFFERENT'}"
            print(f"{told}, {time.monotonic() - begin:.1f} s", flush=True)
    print(f"{same} of {asked.trials} bit-identical, {killed} processes killed, load {os.getloadavg()[0]:.1f}")
    sys.exit(same != asked.trials)


if __name__ == "__main__":
    main()
