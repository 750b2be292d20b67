"""`python -m faults`: run the suite, print the table. Ends with status 1 where a program is not what it claims."""

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import danlu
from faults.calibration import calibration, uncalibrated
from faults.judge import Outcome, Task, contradictions, prepare, run, table, unsound
from faults.seeds import HELD_OUT_SEEDS, TUNING_SEEDS
from faults.suite import HEALTHY, PLANTED
from real_data import DATA_VARIABLE, real_data

RESULTS = Path(__file__).parents[2] / "benchmarks" / "RESULTS.md"
HEADING = "## Diagnosis (`make faults`)"


CALIBRATION = "## Confidence of findings (`make faults ARGS=--calibration`)"


def recorded(results: str, text: str, heading: str = HEADING) -> str:
    """`results` with the section of that heading replaced, or added at the end.

    >>> print(recorded("# Results\\n\\n## Diagnosis (`make faults`)\\n\\nold\\n\\n## Other\\n", "new"))
    # Results
    <BLANKLINE>
    ## Diagnosis (`make faults`)
    <BLANKLINE>
    new
    <BLANKLINE>
    ## Other
    <BLANKLINE>
    """
    before, _, after = results.partition(heading)
    _, following, rest = after.partition("\n## ")
    return f"{before.rstrip()}\n\n{heading}\n\n{text}\n{following}{rest}"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--seeds", default="held-out", help="held-out, tuning, or numbers with commas between them")
    parser.add_argument("--only", default="", help="programs whose name, family or rule contains this")
    parser.add_argument("--kinds", default="healthy,planted", help="of healthy, planted, twin")
    parser.add_argument("--unwatched", action="store_true", help="try the programs themselves: nothing is watched")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--calibration", action="store_true", help="how often what is told surely, probably is right")
    parser.add_argument("--record", action="store_true", help="put the table into benchmarks/RESULTS.md")
    return parser.parse_args()


def tasks(chosen: argparse.Namespace) -> list[Task]:
    named = {"held-out": HELD_OUT_SEEDS, "tuning": TUNING_SEEDS}
    seeds = named[chosen.seeds] if chosen.seeds in named else tuple(int(seed) for seed in chosen.seeds.split(","))
    kinds = ["healthy", "planted", "twin"] if chosen.unwatched else chosen.kinds.split(",")
    listed: list[Task] = []
    for kind in kinds:
        for name, program in (HEALTHY if kind == "healthy" else PLANTED).items():
            words = (name, program.train.__module__, getattr(program, "rule", ""))
            if any(chosen.only in word for word in words):
                listed += [Task(kind, name, seed) for seed in seeds]
    return listed


def outcomes(chosen: argparse.Namespace, listed: list[Task]) -> Iterator[Outcome]:
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.processes, mp_context=fresh, initializer=prepare, initargs=(real_data(),)) as pool:
        waiting = [pool.submit(run, task, listening=not chosen.unwatched) for task in listed]
        for count, future in enumerate(as_completed(waiting), 1):
            if sys.stderr.isatty():
                print(f"\r{count} of {len(listed)}", end="", file=sys.stderr, flush=True)
            yield future.result()


def main() -> int:
    chosen = arguments()
    if not real_data().is_dir():
        print(f"no real data: {real_data()} does not exist (name a folder with ${DATA_VARIABLE})")
        return 2
    if not chosen.unwatched and not hasattr(danlu, "watch"):
        print("this danlu has no watch yet; try the programs themselves with --unwatched")
        return 2
    listed = tasks(chosen)
    start = time.perf_counter()
    order = {task: position for position, task in enumerate(listed)}
    results = sorted(outcomes(chosen, listed), key=lambda outcome: order[outcome.task])
    seconds = time.perf_counter() - start
    complaints = unsound(results)
    complaints += [
        f"{outcome.task.name} (seed {outcome.task.seed}) is told together: {pair}"
        for outcome in results
        for pair in contradictions(outcome)
    ]
    complaints += uncalibrated(results) if chosen.calibration else []
    programs = {kind: len({task.name for task in listed if task.kind == kind}) for kind in ("healthy", "planted")}
    head = (
        f"{programs['healthy']} healthy programs, {programs['planted']} planted, seeds {chosen.seeds}:"
        f" {len(results)} runs in {seconds:.0f} s, {chosen.processes} processes."
    )
    heading = CALIBRATION if chosen.calibration else HEADING
    text = head if chosen.unwatched else f"{head}\n\n{(calibration if chosen.calibration else table)(results)}"
    print(f"\n{text}\n")
    if chosen.record:
        RESULTS.write_text(recorded(RESULTS.read_text(encoding="utf-8"), text, heading), encoding="utf-8")
    for complaint in complaints:
        print(f"not what it claims: {complaint}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
