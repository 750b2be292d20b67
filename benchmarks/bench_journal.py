"""What reading a run's journal costs: CPU seconds for 200,000 steps, beside another checkout of danlu, in turn.

    OMP_NUM_THREADS=1 python benchmarks/bench_journal.py [--steps 200000] [--repeats 7] [--beside CHECKOUT]

The journal is generated: blocks of 200 steps with losses and gradient norms, what watch measured of eight layers once a
block, twenty epochs. Each reading is a process of its own, its second pass is timed.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BLOCK = 200
READ = """
import sys, time
from pathlib import Path
path = Path(sys.argv[1])
try:
    from danlu.store.run_history import RunHistory
    read = RunHistory.read
except ImportError:  # danlu 0.1
    from danlu.store.history import History
    from danlu.store.journal import read as records
    read = lambda path: History.of(records(path))
read(path)
begin = time.process_time()
steps = len(read(path).steps)
print(time.process_time() - begin, steps)
"""


def journal(steps: int) -> str:
    """The lines of such a journal."""
    draw = random.Random(0)
    lines = ['{"kind": "start", "epochs": 20, "steps_per_epoch": 10000}']
    for first in range(1, steps + 1, BLOCK):
        losses, norms = ([draw.random() for _ in range(BLOCK)] for _ in range(2))
        epoch = 1 + 20 * (first - 1) // steps
        block = {"first": first, "epoch": epoch, "loss": losses, "lr": 0.1, "norm": norms}
        names = ("spread", "gradient", "update", "weight")
        layers = {name: [round(draw.random(), 4) for _ in range(8)] for name in names}
        lines += [json.dumps({"kind": "steps", **block}), json.dumps({"kind": "layers", "step": first, **layers})]
    return "\n".join(lines) + "\n"


def seconds(source: Path, path: Path, steps: int) -> float:
    """CPU seconds of one reading by the danlu in `source`."""
    environment = {**os.environ, "PYTHONPATH": str(source / "src")}
    program = [sys.executable, "-c", READ, str(path)]
    told = subprocess.run(program, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert int(told[1]) == steps
    return float(told[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--beside", type=Path, help="another checkout")
    asked = parser.parse_args()
    sources = [Path(__file__).parents[1], *([asked.beside] if asked.beside else [])]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.jsonl"
        path.write_text(journal(asked.steps), encoding="utf-8")
        print(f"{asked.steps:,} steps, {path.stat().st_size / 1e6:.1f} MB")
        rounds = [[seconds(source, path, asked.steps) for source in sources] for _ in range(asked.repeats)]
    for number, source in enumerate(sources):
        print(f"{source}: {statistics.median(row[number] for row in rounds):.3f} s")
    if asked.beside:
        print(f"ratio, median of pairs: {statistics.median(row[0] / row[1] for row in rounds):.2f}")


if __name__ == "__main__":
    main()
