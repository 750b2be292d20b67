"""Studies on real clusters of two workers on this machine: equal to the local ones bit for bit, what sending costs, and
what becomes of them when workers are killed.

    PYTHONPATH=tests python benchmarks/cluster.py [--only dask kills ray] [--members 2000] [--kills 20] [--write]

Needs the extra `cluster`. "Overhead" is the share of the workers' time in which they did not train: (slots × wall -
seconds trained) ÷ (slots × wall), from the first task to the last result; it holds sending, unpacking, waiting and the
last stacks' unevenness. CPU seconds are those of the processes themselves, whatever else the machine does.
"""

import argparse
import os
import random
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

import danlu
from danlu.base.seeds import use_threads
from danlu.stack import train
from danlu.study import on_cluster
from danlu.study.cluster.address import ClusterAddress
from danlu.study.cluster.dispatch import Dispatch, WorkItem
from danlu.study.cluster.ray_cluster import RayCluster
from real_clusters import DaskHere

RESULTS = Path(__file__).parent / "RESULTS.md"
HEADING = "## Clusters"
WORKERS = 2
IDLE = 10.0  # seconds
TINY: dict[str, Any] = {"net": "mlp", "data": "digits", "hidden": [32], "epochs": 1, "batch_size": 32}
RATES = [0.005, 0.01, 0.05, 0.1]


@dataclass
class Sent:
    """What was measured of the tasks of one study."""

    wall: float = 0.0
    trained: float = 0.0
    tasks: int = 0
    lost: int = 0
    seconds: list[float] = field(default_factory=list[float])

    @property
    def overhead(self) -> float:
        return 1 - self.trained / (WORKERS * self.wall)


def measured(sent: Sent) -> type[Dispatch]:
    """A dispatcher that notes how long stacks took, and all of them together."""

    class Measured(Dispatch):
        def carry_out(self, pieces: Sequence[WorkItem]) -> bool:
            took = self.took

            def noted(piece: WorkItem, outcome: Any) -> Sequence[WorkItem]:
                sent.seconds.append(outcome.seconds)
                return took(piece, outcome)

            self.took = noted
            begin = time.perf_counter()
            whole = super().carry_out(pieces)
            sent.wall += time.perf_counter() - begin
            sent.trained += sum(sent.seconds)
            sent.tasks, sent.lost = self.counts.sent, self.counts.lost
            return whole

    return Measured


def study(cluster: str | None, members: int, **more: Any) -> tuple[danlu.Study, Sent]:
    sent = Sent()
    on_cluster.Dispatch = measured(sent)  # type: ignore[misc]
    asked = {**TINY, **more, "vary": {"lr": RATES}, "seeds": members // len(RATES), "progress": False}
    return danlu.compare(**asked, cluster=cluster, folder=Path(tempfile.mkdtemp()) / "s"), sent


def scores(one: danlu.Study) -> dict[str, dict[str, float]]:
    return {f"{member.factors} {member.seed}": dict(member.score) for member in one.members}


def twice(one: danlu.Study) -> int:
    """Members that stand in the journal more than once."""
    told = [f"{member.factors} {member.seed}" for member in one.history.members]
    return len(told) - len(set(told))


def cpu(process: Any) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def on_dask(members: int) -> str:
    here = DaskHere(Path(tempfile.mkdtemp()))
    try:
        here.begin(WORKERS)
        study(here.address, 40)  # the workers import torch
        idle = cpu(here.scheduler)
        time.sleep(IDLE)
        idle = (cpu(here.scheduler) - idle) / IDLE
        before = cpu(here.scheduler), sum(map(cpu, here.workers)), time.process_time()
        there, sent = study(here.address, members)
        after = cpu(here.scheduler), sum(map(cpu, here.workers)), time.process_time()
    finally:
        here.end()
    scheduler, workers, client = (new - old for new, old in zip(after, before, strict=True))
    equal = scores(there) == scores(study(None, members)[0])
    share = scheduler / (scheduler + workers + client)
    return (
        f"Dask, {members:,} members of one epoch on {WORKERS} workers: {sent.tasks} stacks of median"
        f" {statistics.median(sent.seconds):.2f} s, {sent.wall:.1f} s in all; equal to the local study bit for bit:"
        f" {'yes' if equal else '**no**'}; {len(there.members):,} members, {twice(there)} twice; overhead"
        f" {sent.overhead:.1%} of the workers' time. CPU seconds: scheduler {scheduler:.2f} ({share:.1%} of all),"
        f" client {client:.2f}, workers {workers:.2f}; idle, the scheduler takes {idle * sent.wall:.2f} in that time."
    )


def killing(kill: Callable[[], bool], over: threading.Event, most: int, pause: float) -> Callable[[], list[float]]:
    """Kill again and again at random moments, in a thread; the moments, when it is over."""
    moments: list[float] = []

    def work() -> None:
        begin = time.monotonic()
        while len(moments) < most and not over.wait(random.uniform(0.2, pause)):
            if kill():
                moments.append(time.monotonic() - begin)

    thread = threading.Thread(target=work)
    thread.start()

    def end() -> list[float]:
        over.set()
        thread.join()
        return moments

    return end


def kills_on_dask(kills: int) -> str:
    want = scores(study(None, 48, epochs=8)[0])
    here = DaskHere(Path(tempfile.mkdtemp()))
    done, equal, studies, doubled = 0, 0, 0, 0
    try:
        here.begin(WORKERS)

        def kill() -> bool:
            with here.client() as client:
                busy = [pid for pid, tasks in here.busy(client).items() if tasks]
            if not busy:
                return False
            os.kill(random.choice(busy), signal.SIGKILL)
            here.add_worker()
            return True

        while done < kills:
            end = killing(kill, threading.Event(), min(3, kills - done), 8.0)
            try:
                there, _ = study(here.address, 48, epochs=8)
            finally:
                moments = end()
            done, studies = done + len(moments), studies + 1
            equal, doubled = equal + (scores(there) == want), doubled + twice(there)
            print(f"  {done} kills, {equal} of {studies} studies equal", flush=True)
    finally:
        here.end()
    return (
        f"Dask, workers killed (kill -9) at {done} random moments while they had a stack (asked: {kills}), in {studies}"
        f" studies of 48 members: {equal} of {studies} equal to the undisturbed one bit for bit, {doubled} members"
        " twice. Dask itself sent out again what a killed worker had."
    )


def ray_tasks() -> list[int]:
    """The processes of Ray's that have a task of ours."""
    found: list[int] = []
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or [""]
        found += [process.info["pid"]] if words[0].startswith("ray::_on_worker") else []
    return found


def on_ray(members: int, kills: int) -> str:
    want = scores(study(None, members)[0])
    held = RayCluster(ClusterAddress("ray"))  # one for all studies
    try:
        study("ray", 40)

        def kill() -> bool:
            found = ray_tasks()
            if found:
                os.kill(random.choice(found), signal.SIGKILL)
            return bool(found)

        there, sent = study("ray", members)
        undisturbed = scores(there) == want
        done, equal, studies = 0, 0, 0
        while done < kills:
            end = killing(kill, threading.Event(), min(3, kills - done), 5.0)
            try:
                disturbed, _ = study("ray", members)
            finally:
                done += len(end())
            studies, equal = studies + 1, equal + (scores(disturbed) == want and not twice(disturbed))
            print(f"  {done} kills, {equal} of {studies} studies equal", flush=True)
    finally:
        held.close()
    return (
        f"Ray, {members:,} members on {WORKERS} workers: equal to the local study bit for bit:"
        f" {'yes' if undisturbed else '**no**'}; {sent.tasks} stacks, {sent.wall:.1f} s, overhead {sent.overhead:.1%}."
        f" With workers killed at {done} random moments, in {studies} studies: {equal} of {studies} equal, nothing"
        " twice."
    )


def write(line: str) -> None:
    """Put a paragraph into its section of RESULTS.md, in place of the one that begins alike."""
    text = RESULTS.read_text(encoding="utf-8")
    if HEADING not in text:
        text = f"{text.rstrip()}\n\n{HEADING}\n\n`PYTHONPATH=tests python benchmarks/cluster.py --write`\n"
    before, heading, rest = text.partition(HEADING)
    own, following, behind = rest.partition("\n## ")
    kept = [part for part in own.strip().split("\n\n") if part[:14] != line[:14]]
    RESULTS.write_text(before + heading + "\n\n" + "\n\n".join([*kept, line]) + "\n" + following + behind, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=["dask", "kills", "ray"])
    parser.add_argument("--members", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--ray-members", type=int, default=500)
    parser.add_argument("--write", action="store_true", help="put what was measured into RESULTS.md")
    asked = parser.parse_args()
    random.seed(0)
    use_threads(1)
    train.cores = lambda: WORKERS  # as many stacks side by side here as there
    parts: dict[str, Callable[[], str]] = {
        "dask": lambda: on_dask(asked.members),
        "kills": lambda: kills_on_dask(asked.kills),
        "ray": lambda: on_ray(asked.ray_members, asked.kills),
    }
    for name in asked.only:
        line = f"{parts[name]()} Load of the machine: {os.getloadavg()[1]:.0f}."
        print(line, flush=True)
        if asked.write:
            write(line)


if __name__ == "__main__":
    main()
