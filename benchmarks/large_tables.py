"""A CSV larger than what it is trained in: peak memory and seconds.

    python benchmarks/large_tables.py 5 --folder /tmp/large        # gigabytes
    python benchmarks/large_tables.py 0.2 --folder /tmp/large --both

Writes a table of that size (numbers, gaps, words, days, a target that some of them decide), trains an MLP on it for one
epoch with its rows on the disk (and, with `--both`, in memory), each in a process of its own, and deletes it. Told are
the seconds, the process's peak of resident memory (VmHWM) and the peak of that part which is its own (RssAnon): the
rest are pages of files, which the system takes back when it needs them. `--limit` gigabytes is a hard limit
(RLIMIT_DATA) on the memory that the process may have of its own.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy

ROWS_AT_A_TIME = 100_000
NUMBERS = 14


def write_table(path: Path, size: int) -> int:
    """A CSV of about so many bytes; how many rows it has."""
    random, rows = numpy.random.default_rng(0), 0
    names = [*(f"x{n}" for n in range(NUMBERS)), "whole", "gaps", "colour", "day", "code", "kind"]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(names) + "\n")
        while file.tell() < size:
            x = random.normal(size=(ROWS_AT_A_TIME, NUMBERS))
            whole = random.integers(0, 10**6, ROWS_AT_A_TIME)
            colour = random.choice(["red", "green", "blue", "white", ""], ROWS_AT_A_TIME)
            days = (numpy.datetime64("2000-01-01") + random.integers(0, 8000, ROWS_AT_A_TIME)).astype(str)
            score = x[:, 0] + x[:, 1] * x[:, 2] + (colour == "red") + 0.3 * random.normal(size=ROWS_AT_A_TIME)
            kind = numpy.array(["low", "high"])[(score > 0.2).astype(int)]
            for n in range(ROWS_AT_A_TIME):
                gap = "" if whole[n] % 11 == 0 else f"{x[n, 3] * 7:.4f}"
                numbers = ",".join(f"{one:.4f}" for one in x[n].tolist())
                file.write(f"{numbers},{whole[n]},{gap},{colour[n]},{days[n]},c{whole[n] % 40},{kind[n]}\n")
            rows += ROWS_AT_A_TIME
    return rows


def own_memory() -> dict[str, int]:
    """VmHWM and RssAnon in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith(("VmHWM", "RssAnon"))}


def train(path: Path, *, stream: bool, limit: float | None) -> None:
    """Train in this process, and print what it took as JSON."""
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (int(limit * 2**30),) * 2)
    import danlu

    before, peak, done = own_memory()["RssAnon"], 0, threading.Event()

    def look() -> None:
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, own_memory()["RssAnon"])

    threading.Thread(target=look, daemon=True).start()
    begun = time.perf_counter()
    data = danlu.load(path, target="kind", stream=stream)
    loaded = time.perf_counter()
    run = danlu.fit("mlp", data, epochs=1, batch_size=1024, watch=False, folder=path.parent / f"run-{stream}")
    ended = time.perf_counter()
    done.set()
    told = {
        "rows": sum(data.sizes.values()),
        "load": loaded - begun,
        "fit": ended - loaded,
        "before": before,
        "anon": peak,
    }
    told |= {"peak": own_memory()["VmHWM"], "accuracy": run.score["test"]["accuracy"]}
    sys.stdout.write(json.dumps(told) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", type=float, help="gigabytes")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--both", action="store_true")
    parser.add_argument("--limit", type=float)
    parser.add_argument("--train", choices=("disk", "memory"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    path = options.folder / "large.csv"
    if options.train:
        train(path, stream=options.train == "disk", limit=options.limit)
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        begun = time.perf_counter()
        rows = write_table(path, int(options.size * 2**30))
        size = path.stat().st_size / 2**30
        sys.stdout.write(f"{size:.2f} GiB, {rows:,} rows, written in {time.perf_counter() - begun:.0f} s\n")
        for way in ("disk", "memory") if options.both else ("disk",):
            command = [sys.executable, __file__, str(options.size), "--folder", str(options.folder), "--train", way]
            command += ["--limit", str(options.limit)] if options.limit and way == "disk" else []
            environment = {**os.environ, "XDG_CACHE_HOME": str(options.folder / "cache")}
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            if done.returncode:
                sys.stdout.write(f"{way}: {done.stderr[-2000:]}\n")
                continue
            told = json.loads(done.stdout.splitlines()[-1])
            gib = {key: told[key] / 2**30 for key in ("peak", "anon", "before")}
            sys.stdout.write(
                f"{way:7} load {told['load']:.0f} s, fit {told['fit']:.0f} s, VmHWM {gib['peak']:.2f} GiB, "
                f"RssAnon {gib['anon']:.2f} GiB ({gib['before']:.2f} before), accuracy {told['accuracy']:.4f}\n"
            )
        kept = sum(file.stat().st_size for file in (options.folder / "cache").rglob("*") if file.is_file())
        sys.stdout.write(f"kept on the disk: {kept / 2**30:.2f} GiB\n")
    finally:
        shutil.rmtree(options.folder)


if __name__ == "__main__":
    main()
