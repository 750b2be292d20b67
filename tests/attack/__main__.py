"""`python -m attack`: attack, print the tables. Ends with status 1 where anything did not end as it should."""

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path

from attack.carried_out import KINDS, carried_out
from attack.tally import Tally, joined, tables

RESULTS = Path(__file__).parents[2] / "benchmarks" / "RESULTS.md"
MARK = "## Attack (`make attack`)"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m attack", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the whole attack, 0.1 for a tenth")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", default=",".join(KINDS), help=f"of {', '.join(KINDS)}")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="keep the tables in benchmarks/RESULTS.md")
    parser.add_argument("--reasons", action="store_true", help="count the sentences of refusals too")
    return parser.parse_args()


def record(text: str) -> None:
    """Put the section into RESULTS.md, in place of the one that stands there."""
    before, mark, rest = RESULTS.read_text(encoding="utf-8").partition(MARK)
    _, next_mark, after = rest.partition("\n## ") if mark else ("", "", "")
    section = f"{before.rstrip()}\n\n{MARK}\n\n{text}\n" + (next_mark + after if next_mark else "")
    RESULTS.write_text(section, encoding="utf-8")


def main() -> int:
    asked = arguments()
    kinds = asked.kinds.split(",")
    begin = time.monotonic()
    # Each attacker is forked from one process that has imported all and done nothing.
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["attack.imported"])
    results: dict[tuple[int, int], list[Tally]] = {}
    with ProcessPoolExecutor(asked.processes, mp_context=server, max_tasks_per_child=1) as pool:
        waiting = {
            pool.submit(carried_out, kind, asked.share, asked.seed, part, asked.processes): (number, part)
            for number, kind in enumerate(kinds)
            for part in range(asked.processes)
        }
        for future in as_completed(waiting):
            results[waiting[future]], seconds, processor = future.result()
            number, part = waiting[future]
            took = f"{seconds:.0f} s, of the processor {processor:.0f} s"
            print(f"{kinds[number]} {part + 1} of {asked.processes}: {took}", file=sys.stderr, flush=True)
    found = joined(tally for place in sorted(results) for tally in results[place])
    minutes, today = (time.monotonic() - begin) / 60, f"{datetime.now(UTC):%Y-%m-%d}"
    machine = f"{os.cpu_count()} cores, {asked.processes} processes of one thread"
    share = "the whole" if asked.share == 1 else f"{asked.share:g} of the whole"
    bad = sum(tally.bad for tally in found)
    text = f"{today}, {machine}, {minutes:.1f} minutes, seed {asked.seed}: {share}."
    text += f" `python -m attack {' '.join(sys.argv[1:])}`." if sys.argv[1:] else ""
    text += f" Ended otherwise than wanted: **{bad}**.\n\n{tables(found)}"
    print(text)
    for tally in found:
        if asked.reasons and tally.tried and not tally.wanted:
            print(f"{tally.attack}: slowest {tally.slowest}; {dict(tally.reasons.most_common())}")
        for complaint in tally.complaints:
            print(f"- {complaint}")
    if asked.write:
        record(text)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
