"""What the dashboard bears: thousands of runs of ten thousand steps each, and ten readers beside a training.

    python benchmarks/bench_serve.py [--runs 1000] [--windows 60] [--seconds 0.7] [--only list,many,long,pages,cost]

The runs are generated, but for "pages", where one of each kind is carried out and each of its pages opened. The list
and a run are timed from the request to the last byte, and to the drawn page where Playwright and a Chromium are
there. Memory is the server's peak, torch included. What ten readers cost the training is measured in windows with and
without them in turn: the ratio is the median over pairs of windows side by side.
"""

import argparse
import json
import math
import mmap
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

STEPS = 10_000
LONG = 100_000
READERS = 10
MANY = 10_000
_BLOCK = 100
_COURSES = 20
_TRAIN = """
import mmap, struct, sys
import torch
from torch import nn
import danlu

file = open(sys.argv[1], "r+b")
count = mmap.mmap(file.fileno(), 8)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
steps = 0

def counted(*_):
    global steps
    steps += 1
    count[:8] = struct.pack("q", steps)

net.register_forward_hook(counted)
torch.manual_seed(0)
data = danlu.load((torch.randn(8192, 784), torch.randint(0, 10, (8192,))))
danlu.fit(net, data, epochs=100_000, lr=0.01, batch_size=64, folder=sys.argv[2], progress=False)
"""


def journal(steps: int, seed: int) -> str:
    """What a run of so many steps writes: losses in blocks, ten epochs, layers now and then, one finding."""
    draw = random.Random(seed)
    losses = [2.3 * math.exp(-3 * step / steps) + 0.2 * draw.random() for step in range(steps)]
    spike = draw.randrange(steps)
    losses[spike] = 9.0 + draw.random()
    lines: list[dict[str, Any]] = [{"kind": "start", "epochs": 10, "steps_per_epoch": steps // 10}]
    for first in range(0, steps, _BLOCK):
        epoch = first * 10 // steps + 1
        block = losses[first : first + _BLOCK]
        lines.append({"kind": "steps", "first": first + 1, "epoch": epoch, "loss": block, "lr": 0.05, "norm": None})
        if first % (steps // 20) == 0:
            values = [draw.random() for _ in range(8)]
            kinds = dict.fromkeys(("spread", "gradient", "update", "weight"), values)
            names = [f"layers.{number}" for number in range(8)]
            lines.append({"kind": "layers", "step": first + 1, "names": names, "dead": None, **kinds})
        if (first + _BLOCK) % (steps // 10) == 0:
            score = {"loss": losses[first], "accuracy": 0.9 + 0.01 * draw.random()}
            done = {"train": {"loss": losses[first]}, "validation": score, "best": True, "seconds": 1.0}
            lines.append({"kind": "epoch", "epoch": epoch, "step": first + _BLOCK, **done})
    remedies = [{"change": {"optim.lr": 0.01}}]
    finding = {"rule": "loss-spike", "severity": "warning", "where": [], "since": spike, "evidence": {}}
    lines.append({"kind": "finding", **finding, "title": "a spike", "why": "a rate too large", "remedies": remedies})
    score = {"train": {"loss": 0.2}, "validation": {"loss": 0.2, "accuracy": 0.9}, "test": {"accuracy": 0.9}}
    lines.append({"kind": "end", "step": steps, "epochs": 10, "seconds": 10.0, "reason": "finished", "score": score})
    return "".join(json.dumps(line) + "\n" for line in lines)


def generate(folder: Path, runs: int, steps: int = STEPS) -> None:
    """So many runs in `folder`; every twentieth has a course of its own."""
    first: list[Path] = []
    for number in range(runs):
        place = folder / f"run-{number:04}"
        place.mkdir(parents=True)
        recipe = (
            f'[data]\nname = "digits"\n\n[net]\nname = "mlp"\n\n[optim]\nname = "sgd"\nlr = {0.001 * (number + 1)}\n'
        )
        (place / "recipe.toml").write_text(recipe)
        (place / "environment.json").write_text('{"torch": "2"}')
        if number < _COURSES:
            (place / "journal.jsonl").write_text(journal(steps, number))
            first.append(place / "journal.jsonl")
        else:  # the disk need not hold ten thousand of them
            os.link(first[number % _COURSES], place / "journal.jsonl")


class Dashboard:
    """`danlu view` in a process of its own, and the cookie to read it with."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "danlu", "view", str(folder), "--json", "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address: str = json.loads(self.process.stdout.readline())["address"]
        self.base = self.address.partition("/start")[0]
        with urllib.request.urlopen(self.address) as answer:
            (self.cookie,) = SimpleCookie(answer.headers["set-cookie"]).values()

    def ask(self, path: str) -> tuple[float, Any]:
        """Seconds until the last byte, and the answer; None where there is nothing new."""
        headers = {"Cookie": f"{self.cookie.key}={self.cookie.value}"}
        request = urllib.request.Request(self.base + path, headers=headers)
        start = time.perf_counter()
        with urllib.request.urlopen(request) as answer:
            content = answer.read()
        seconds = time.perf_counter() - start
        return seconds, json.loads(content) if content[:1] == b"{" else None

    def busy(self) -> float:
        """Seconds of a core that it has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """The peak of resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


@contextmanager
def dashboard(folder: Path) -> Generator[Dashboard]:
    shown = Dashboard(folder)
    try:
        yield shown
    finally:
        shown.process.terminate()
        shown.process.wait()


def load(folder: Path, runs: int) -> None:
    """List, runs and memory."""
    generate(folder, runs)
    with dashboard(folder) as shown:
        first, listed = shown.ask("/api/list?lang=en")
        assert listed["total"] == runs
        again = statistics.median(_pause(1.0) or shown.ask("/api/list?lang=en")[0] for _ in range(5))
        seconds: list[float] = []
        for row in listed["rows"][:: max(1, len(listed["rows"]) // 20)]:
            taken, page = shown.ask(f"/api/run/{row['id']}?lang=en")
            seconds.append(taken)
            check_extremes(page, folder / row["name"] / "journal.jsonl")
        ids = ",".join(row["id"] for row in listed["rows"][:5])
        compared, _ = shown.ask(f"/api/compare?lang=en&runs={ids}")
        print(f"list of {runs:,} runs: {first:.2f} s the first time, {again:.2f} s then (asked < 1)")
        median, worst = statistics.median(seconds), max(seconds)
        print(f"one run of {STEPS:,} steps: median {median:.2f} s, worst {worst:.2f} (asked < 1)")
        print(f"five side by side: {compared:.2f} s; every minimum and maximum of the curves is kept")
        print(f"memory: {shown.memory():.0f} MB at its peak (asked < 300)")
    with dashboard(folder) as shown:
        in_browser(shown)


def long_run(folder: Path) -> None:
    """One run of a hundred thousand steps."""
    generate(folder, 1, LONG)
    with dashboard(folder) as shown:
        (row,) = shown.ask("/api/list?lang=en")[1]["rows"]
        first, _ = shown.ask(f"/api/run/{row['id']}?lang=en")
        asked = {"smoothed": "smooth=1000", "a stretch": "low=50000&high=51000", "by time": "axis=time"}
        told = {name: shown.ask(f"/api/curves?lang=en&runs={row['id']}&{query}")[0] for name, query in asked.items()}
        others = ", ".join(f"{name} {took:.2f} s" for name, took in told.items())
        print(f"a run of {LONG:,} steps: {first:.2f} s (asked < 0.5, drawn); {others}")
    with dashboard(folder) as shown:
        in_browser(shown)


def every_page(folder: Path) -> None:
    """The memory of the server once each page of each kind was opened."""
    import danlu  # here alone, so that measuring does not load it

    told = {"progress": False, "epochs": 4}
    danlu.fit("lenet5", "digits", folder=folder / "run", **told)
    hurt = danlu.fit("mlp", "digits", folder=folder / "hurt", lr=1e-5, **told)
    vary = {"optim.lr": [0.01, 0.1], "net.activation": ["relu", "sigmoid"]}
    danlu.compare("mlp", "digits", vary=vary, seeds=3, folds=2, folder=folder / "study", **told)
    danlu.search("mlp", "digits", space={"lr": (1e-4, 1)}, trainings=16, folder=folder / "search", **told)
    danlu.cure(hurt, seeds=3, folder=folder / "cure", progress=False)
    with dashboard(folder) as shown:
        rows = shown.ask("/api/list?lang=en")[1]["rows"]
        runs = [row["id"] for row in rows if row["kind"] == "run"]
        asked = [f"study/{row['id']}?lang={words}" for row in rows if row["kind"] == "study" for words in ("en", "zh")]
        asked += [f"run/{id}?lang={words}" for id in runs for words in ("en", "zh")]
        asked += [f"moment/{id}?lang=en&at=0" for id in runs] + [f"run/{id}/net.svg?lang=en" for id in runs]
        asked += [f"compare?lang=en&runs={','.join(runs)}", f"curves?lang=en&runs={runs[0]}&smooth=9&axis=epoch"]
        for path in asked:
            shown.ask(f"/api/{path}")
        print(f"memory with {len(asked)} pages opened: {shown.memory():.0f} MB at its peak (asked < 300)")


def _pause(seconds: float) -> None:
    time.sleep(seconds)


def check_extremes(page: Any, journal: Path) -> None:
    """The lowest and the highest loss of the whole run are points of the drawn curve."""
    blocks = [json.loads(line) for line in journal.read_text().splitlines() if '"steps"' in line[:20]]
    losses = [loss for block in blocks for loss in block["loss"]]
    drawn = [mark for mark in page["charts"][0]["panels"][0]["marks"] if mark["type"] == "Line" and mark.get("faint")]
    points = drawn[0]["ys"]
    assert len(losses) == STEPS
    assert len(points) < STEPS / 5
    assert min(losses) in points
    assert max(losses) in points


def in_browser(shown: Dashboard) -> None:
    """The same with all that a reader waits for: from the address to the drawn table, from the click to the curves."""
    path = next((found for found in map(shutil.which, ("chromium", "google-chrome")) if found), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        print("in a browser: left out (pip install playwright, apt-get install chromium)")
        return
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 850})
        # The printed address works once, and it was used for the cookie.
        page.context.add_cookies([{"name": shown.cookie.key, "value": shown.cookie.value, "url": shown.base}])
        page.goto("about:blank")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        told = [_drawn(shown, session, "the list", lambda: page.goto(shown.base), page, "table.list tbody tr")]
        click, drawn = "table.list tbody tr a", ".chart .panels svg"
        told.append(_drawn(shown, session, "a run after a click", lambda: page.click(click), page, drawn))
        print("drawn in Chromium: " + "; ".join(told))
        browser.close()


def _drawn(shown: Dashboard, session: Any, name: str, act: Callable[[], object], page: Any, wanted: str) -> str:
    """How long it takes until `wanted` is there after `act`; and of that what server and page took of the processor."""
    before, begun, start = shown.busy(), _of_the_page(session), time.perf_counter()
    act()
    page.wait_for_selector(wanted)
    took = time.perf_counter() - start
    server, own = shown.busy() - before, _of_the_page(session) - begun
    return f"{name} {took:.2f} s, of the processor {server + own:.2f} (server {server:.2f}, page {own:.2f})"


def _of_the_page(session: Any) -> float:
    """Seconds that the page's thread has used of a processor so far."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == "TaskDuration"))


def cost(folder: Path, windows: int, seconds: float) -> None:
    """What ten readers of a live run cost its training, a step."""
    folder.mkdir()
    counter = folder / "steps"
    counter.write_bytes(bytes(8))
    run = folder / "live"
    training = subprocess.Popen([sys.executable, "-c", _TRAIN, str(counter), str(run)], stderr=subprocess.DEVNULL)
    try:
        with dashboard(folder) as shown, counter.open("rb") as file:
            count = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
            while steps_of(count) < 2000:
                time.sleep(0.1)
            (row,) = shown.ask("/api/list?lang=en")[1]["rows"]
            reading, stop = threading.Event(), threading.Event()
            path = f"/api/run/{row['id']}?lang=en"
            readers = [threading.Thread(target=_read, args=(shown, path, reading, stop)) for _ in range(READERS)]
            for reader in readers:
                reader.start()
            ratios: list[float] = []
            used = 0.0
            for pair in range(windows // 2):
                steps: dict[bool, float] = {}
                for read in (False, True) if pair % 2 else (True, False):
                    (reading.set if read else reading.clear)()
                    time.sleep(0.3)
                    before, start, busy = steps_of(count), time.perf_counter(), shown.busy()
                    time.sleep(seconds)
                    used += (shown.busy() - busy) * read
                    steps[read] = (steps_of(count) - before) / (time.perf_counter() - start)
                ratios.append(steps[False] / steps[True])
            stop.set()
            for reader in readers:
                reader.join()
            low, middle, high = statistics.quantiles(ratios, n=4)
            share = 100 * used / (len(ratios) * seconds)
            print(f"ten readers: {middle:.3f} × a step (asked < 1.02; quartiles {low:.3f} to {high:.3f})")
            print(f"the dashboard beside it takes {share:.1f} % of a core, after {steps_of(count):,} steps")
    finally:
        training.kill()
        training.wait()


def steps_of(count: mmap.mmap) -> int:
    """How many steps the training has done."""
    return int(struct.unpack("q", count[:8])[0])


def _read(shown: Dashboard, path: str, reading: threading.Event, stop: threading.Event) -> None:
    """What an open page does: ask all 0.9 s for what it does not have yet."""
    version = ""
    while not stop.is_set():
        if not reading.wait(0.05):
            continue
        _, answer = shown.ask(f"{path}&have={version}")
        version = answer["version"] if answer else version
        stop.wait(0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--windows", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=0.7)
    parser.add_argument("--only", default="list,many,long,pages,cost")
    asked = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="danlu-bench-serve-"))
    try:
        parts = {
            "list": lambda: load(place / "runs", asked.runs),
            "many": lambda: load(place / "many", MANY),
            "long": lambda: long_run(place / "long"),
            "pages": lambda: every_page(place / "pages"),
            "cost": lambda: cost(place / "training", asked.windows, asked.seconds),
        }
        for name in asked.only.split(","):
            print(f"{name}, load {os.getloadavg()[0]:.1f}")
            parts[name]()
    finally:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
