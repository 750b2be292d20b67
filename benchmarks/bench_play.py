"""How soon the playground shows a boundary after a move, and the end of it.

    python benchmarks/bench_play.py [--moves 10] [--depth 2] [--width 8]

Over the wire, as the page asks: from the move that is sent to the first picture that has come whole, and to the answer.
Each move changes the learning rate of the one before; the load of the machine is told beside the figures.
"""

import argparse
import json
import os
import resource
import statistics
import threading
import time
import urllib.request
from typing import Any

from danlu.lab.play.playground import Playground
from danlu.serve.play import open_playground

RATES = (0.01, 0.03, 0.003, 0.1)
_ASKED = 0.06  # seconds between two questions, as the page waits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=10)
    parser.add_argument("--depth", type=int, default=2)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--data", default="moons")
    arguments = parser.parse_args()
    playground = Playground(arguments.data)
    page = open_playground(playground, port=0)
    threading.Thread(target=page.server.run, kwargs={"sockets": [page.listening]}, daemon=True).start()
    while not page.server.started:
        time.sleep(0.01)
    ask = entered(page.address)
    chosen = {**playground.form()["chosen"], "depth": arguments.depth, "width": arguments.width}
    first, whole = [], []
    for number in range(arguments.moves + 1):  # the first one pays for what is imported once, and is not counted
        seconds = timed(ask, {**chosen, "lr": RATES[number % len(RATES)]})
        if number:
            first.append(seconds[0])
            whole.append(seconds[1])
    playground.close()
    load = "not known" if not hasattr(os, "getloadavg") else f"{os.getloadavg()[0]:.1f}"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"first boundary {told(first)}; answer {told(whole)}; load {load}; peak memory {peak:.0f} MB")


def told(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s (median of {len(seconds)}, {min(seconds):.2f} to {max(seconds):.2f})"


def entered(address: str) -> Any:
    """What asks the page at `address` a question."""
    with urllib.request.urlopen(address) as answer:
        cookie = answer.headers["set-cookie"].partition(";")[0]
    base = address.partition("/start")[0]

    def ask(path: str, sent: Any) -> Any:
        headers = {"Cookie": cookie, "Content-Type": "application/json", "Origin": base}
        request = urllib.request.Request(f"{base}/api/{path}", json.dumps(sent).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read())

    return ask


def timed(ask: Any, chosen: dict[str, Any]) -> tuple[float, float]:
    """Seconds until the first picture of a move, and until its answer."""
    have = ask("now", {"have": 0, "plane": 0, "shown": 0})["version"]
    begin, seen = time.perf_counter(), 0.0
    ask("move", {"chosen": chosen})
    while True:
        answer = ask("now", {"have": have, "plane": 1, "shown": 0})
        if "picture" in answer and not seen:
            seen = time.perf_counter() - begin
        if answer.get("ready"):
            return seen, time.perf_counter() - begin
        time.sleep(_ASKED)


if __name__ == "__main__":
    main()
