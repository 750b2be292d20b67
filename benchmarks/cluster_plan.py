"""What a study of 10⁶ trainings on 1,000 workers would be like: simulated from what is measured here on two.

    PYTHONPATH=tests python benchmarks/cluster_plan.py [--members 1000000] [--workers 1000] [--write]

Measured, in CPU seconds, which do not depend on what else the machine does: a stack of digits (MLP, 20 epochs) on one
core; what the scheduler of a real Dask with two workers and the client spend on a task; what the client spends on a
member that is done (its record in the journal). Bytes are those of pickles. Simulated: workers that take stacks as
`Dispatch` sends them (two a slot under way, copies of slow ones at the end), whose times vary, and that fail and come
back. The scheduler is a server that does one thing at a time; the client's work is added up beside it, and does not
hold the others up. Needs the extra `cluster`.
"""

import argparse
import heapq
import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle

from cluster import cpu, write
from danlu.base.seeds import use_threads
from danlu.store.journal import Journal
from danlu.store.records import MemberDone
from danlu.study.cluster.address import ClusterAddress
from danlu.study.cluster.dask_cluster import DaskCluster
from danlu.study.compare import planned
from danlu.study.member_key import MemberKey
from danlu.study.sent_data import DataToSend
from danlu.study.stack_task import StackTask, train_stack_task
from real_clusters import DaskHere

TASKS = 200  # empty ones, to measure what one costs
SPREAD, STRAGGLERS, SLOWER = 0.15, 0.01, 4.0  # of times: log-normal; and one in a hundred so much slower
AWAY = 120.0  # seconds until a worker that failed is back
SLOW, ENOUGH = 3.0, 3  # as in Dispatch
NETWORK = 125e6  # bytes a second of the client's and of each worker's link: 1 Gbit/s


@dataclass(frozen=True)
class Costs:
    """Seconds of a stack, of the scheduler and the client for a task, of the client for a member; bytes."""

    members: int
    stack: float
    scheduler: float
    client: float
    member: float
    task: int
    outcome: int
    data: int


@dataclass
class Simulated:
    makespan: float
    sent: int
    lost: int
    copies: int


def nothing(held: Any, sent: Any, gone: Any) -> Any:
    """A task that does nothing."""
    return sent


def measure(size: int) -> Costs:
    asked: dict[str, Any] = {"hidden": [64, 64], "epochs": 20, "batch_size": 32}
    plan, _, _ = planned("mlp", "digits", vary={"lr": [0.01, 0.1]}, seeds=size // 2, **asked)
    held = DataToSend().planned(plan.planned)
    members = [(number, seed, 0) for seed in range(size // 2) for number in range(2)]  # as `cut` has them
    task = StackTask(members, 0, {}, None, "0" * 12, "accuracy", 12)
    train_stack_task(held, task, lambda: False)
    begin = time.process_time()
    outcome = train_stack_task(held, task, lambda: False)
    stack = time.process_time() - begin
    assert outcome.fault is None and len(outcome.epochs) == size
    with Journal(Path(tempfile.mkdtemp()) / "journal.jsonl") as journal:
        begin = time.process_time()
        for number, seed, fold in members * 20:
            key = MemberKey(plan.planned[number].cell.factors, seed, fold)
            score = {name: values[0] for name, values in outcome.score.items()}
            journal.add(MemberDone(factors=key.factors, seed=seed, fold=fold, score=score, diverged=False))
            journal.flush()
        member = (time.process_time() - begin) / (20 * size)
    scheduler, client = cost_of_a_task(task, outcome)
    sizes = [len(cloudpickle.dumps(one)) for one in (task, outcome, held)]
    return Costs(size, stack, scheduler, client, member, *sizes)


def cost_of_a_task(task: Any, outcome: Any) -> tuple[float, float]:
    """CPU seconds of the scheduler and of the client."""
    here = DaskHere(Path(tempfile.mkdtemp()))
    try:
        here.begin(2)
        dask = DaskCluster(ClusterAddress.read(here.address))
        held = dask.hold([task])
        for count in (40, TASKS):
            before = cpu(here.scheduler), time.process_time()
            left = count
            for _ in range(count):
                dask.submit(nothing, held, outcome)
            while left:
                left -= len(dask.ended(0.2))
            spent = (cpu(here.scheduler) - before[0]) / count, (time.process_time() - before[1]) / count
        dask.close()
    finally:
        here.end()
    return spent


def simulate(costs: Costs, stacks: int, workers: int, failures: float, rng: random.Random) -> Simulated:
    """`failures` are those of one worker an hour. Events are (time, kind, worker, stack, try)."""
    waiting, events = list(range(stacks)), list[tuple[float, str, int, int, int]]()
    free = list(range(workers))
    trying: dict[int, tuple[int, int, float]] = {}  # by worker: stack, which try of its, since when
    running: dict[int, int] = {}  # tries of a stack under way
    done, server = set[int](), 0.0
    outcome, took = Simulated(0.0, 0, 0, 0), list[float]()
    fetch, has_data = costs.data / NETWORK, set[int]()  # each worker once
    for worker in range(workers if failures else 0):
        heapq.heappush(events, (rng.expovariate(failures / 3600), "fails", worker, 0, 0))
    now, next_look = 0.0, 0.0

    def begin(worker: int, stack: int) -> None:
        nonlocal server
        server = max(server, now) + costs.scheduler
        seconds = costs.stack * rng.lognormvariate(0, SPREAD) * (SLOWER if rng.random() < STRAGGLERS else 1.0)
        seconds += server - now + (0.0 if worker in has_data else fetch)
        has_data.add(worker)
        outcome.sent += 1
        trying[worker] = (stack, outcome.sent, now)
        running[stack] = running.get(stack, 0) + 1
        heapq.heappush(events, (now + seconds, "ends", worker, stack, outcome.sent))

    while len(done) < stacks:
        while free and waiting:
            begin(free.pop(), waiting.pop())
        if free and not waiting and len(took) >= ENOUGH:
            slow = max(5.0, SLOW * statistics.median(took[-999:]))
            for stack, _, since in list(trying.values()):
                if free and running[stack] == 1 and now - since > slow:
                    begin(free.pop(), stack)
                    outcome.copies += 1
            if next_look <= now:
                next_look = now + 1.0
                heapq.heappush(events, (next_look, "looks", -1, 0, 0))
        now, kind, worker, stack, number = heapq.heappop(events)
        if kind == "ends" and trying.get(worker, (0, 0, 0.0))[1] == number:
            _, _, since = trying.pop(worker)
            running[stack] -= 1
            free.append(worker)
            if stack not in done:
                done.add(stack)
                took.append(now - since)
        elif kind == "fails":
            if worker in trying:
                stack, _, _ = trying.pop(worker)
                running[stack] -= 1
                outcome.lost += 1
                if stack not in done and not running[stack]:
                    waiting.append(stack)
            elif worker in free:
                free.remove(worker)
            has_data.discard(worker)
            heapq.heappush(events, (now + AWAY, "back", worker, 0, 0))
        elif kind == "back":
            free.append(worker)
            heapq.heappush(events, (now + rng.expovariate(failures / 3600), "fails", worker, 0, 0))
    outcome.makespan = now
    return outcome


def told(costs: Costs, members: int, workers: int) -> str:
    stacks = -(-members // costs.members)
    client = stacks * costs.client + members * costs.member
    scheduler = stacks * costs.scheduler
    rows = ["| failures of a worker | wall | ideal ÷ wall | lost | copies |", "|---|---|---|---|---|"]
    walls: list[float] = []
    for failures, words in ((0.0, "none"), (1 / 24, "one a day"), (1.0, "one an hour"), (6.0, "six an hour")):
        one = simulate(costs, stacks, workers, failures, random.Random(0))
        ideal = stacks * costs.stack / workers
        walls.append(one.makespan)
        rows.append(
            f"| {words} | {one.makespan / 60:.1f} min | {ideal / one.makespan:.0%} | {one.lost} | {one.copies} |"
        )
    loads = {"the scheduler": scheduler / walls[0], "the client": client / walls[0]}
    first = max(loads, key=lambda name: loads[name])
    traffic = [workers * costs.data, stacks * costs.task, stacks * costs.outcome]
    return (
        f"Plan: {members:,} members in {stacks:,} stacks of {costs.members} on {workers:,} workers of one core,"
        f" simulated from {costs.stack:.2f} s a stack, {costs.scheduler * 1e3:.2f} ms of the scheduler and"
        f" {costs.client * 1e3:.2f} ms of the client a task, {costs.member * 1e6:.0f} µs of the client a member"
        " (`benchmarks/cluster_plan.py`). Times vary by 15 %, one stack in a hundred takes four times as long, a worker"
        f" that failed is back after {AWAY:.0f} s.\n\n"
        + "\n".join(rows)
        + f"\n\nTraffic: data {traffic[0] / 1e6:,.0f} MB ({costs.data / 1e6:.2f} MB a worker, once), tasks"
        f" {traffic[1] / 1e6:,.0f} MB, results {traffic[2] / 1e6:,.0f} MB. Without failures the scheduler works"
        f" {scheduler:.0f} s of {walls[0]:.0f} s ({loads['the scheduler']:.0%}), the client {client:.0f} s"
        f" ({loads['the client']:.0%}): by these costs {first} would be the first to be busy all"
        f" the time, with {workers / loads[first]:,.0f} workers of this kind. Not in it: how long"
        " the client takes to plan so many members, and memory."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=10**6)
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--size", type=int, default=64, help="members of a stack")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    asked = parser.parse_args()
    use_threads(1)
    line = told(measure(asked.size), asked.members, asked.workers)
    print(line)
    if asked.write:
        write(line)


if __name__ == "__main__":
    main()
