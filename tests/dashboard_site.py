"""What tests of the dashboard need: runs and studies that never were trained, and a reader that sends what it likes."""

import json
import socket
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from danlu.serve.listening import LocalPage
from danlu.serve.run import open_dashboard

CANARY = "canary-7f3a9c"
"""A word in everything a run holds: whoever reads it has read of a run."""

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAAAAABX3VL4AAAADklEQVR4nGNgCGVY9R8AA60B/2f7ygkAAAAASUVORK5CYII="
"""A picture of four pixels."""

Record = dict[str, Any]
Headers = Sequence[tuple[str, str]]

FINDING: Record = {
    "kind": "finding",
    "rule": "vanishing-gradient",
    "severity": "error",
    "where": [f"{CANARY}.layers.0"],
    "since": 20,
    "evidence": {"ratio": 1e-6},
    "title": f"{CANARY} gradient norm of the first layer is 3e-07",
    "why": f"{CANARY} ten sigmoid layers in a row",
    "remedies": [{"change": {"net.activation": "relu"}}, {"advice": f"{CANARY} residual connections"}],
}
NET: Record = {
    "kind": "net",
    "name": CANARY,
    "nodes": [
        {
            "id": "0",
            "kind": f"Linear {CANARY}",
            "path": ["0"],
            "output_shape": [10],
            "parameters": 650,
            "multiply_adds": 640,
            "detail": "",
            "calls": 1,
            "operation": False,
        }
    ],
    "edges": [["input", "0"], ["0", "output"]],
    "kinds": {"": "Sequential", "0": "Linear"},
    "input_shape": [64],
    "output_shape": [10],
    "parameters": 650,
    "multiply_adds": 640,
}
LAYERS: Record = {
    "kind": "layers",
    "step": 1,
    "names": [f"{CANARY}.0", f"{CANARY}.1"],
    "spread": [0.5, 0.3],
    "gradient": [1e-7, 0.2],
    "update": [1e-9, 1e-3],
    "weight": [4.0, 5.0],
    "dead": [0.0, 0.25],
}
PREDICTIONS: Record = {
    "kind": "predictions",
    "part": "test",
    "samples": 4,
    "classes": [f"{CANARY} cat", f"{CANARY} dog"],
    "confusion": [[1, 1], [0, 2]],
    "calibration": {"confidence": [0.6, 2.7], "right": [0, 3], "samples": [1, 3]},
    "worst": [
        {
            "actual": f"{CANARY} cat",
            "predicted": f"{CANARY} dog",
            "loss": 2.5,
            "confidence": 0.9,
            "png": "",
            "text": "#7",
        }
    ],
}
TEXT: Record = {"kind": "text", "epoch": 1, "step": 30, "prompt": f"{CANARY} the", "text": f" {CANARY}\n traveller"}
TIME: Record = {"kind": "time", "step": 60, "seconds": 1.0, "forward": 0.5, "processor": 1.5, "memory": 2**30}
FOLLOWED: Record = {
    "kind": "followed",
    "samples": [4, 9],
    "actual": [0, 1],
    "classes": [f"{CANARY} cat", f"{CANARY} dog"],
    "inputs": [[0.5, 1.0], [-1.0, 0.25]],
}
PICTURED: Record = {"kind": "pictured", "samples": [{"sample": 9, "png": PNG, "text": f"{CANARY} #10"}, {"sample": 4}]}
RECIPE = (
    f'[data]\nname = "{CANARY}"\n\n[net]\nname = "mlp"\n\n[optim]\nname = "sgd"\nlr = 0.05\n\n[train]\nepochs = 2\n'
)


def steps(first: int, losses: Sequence[float], epoch: int = 1) -> Record:
    return {"kind": "steps", "first": first, "epoch": epoch, "loss": list(losses), "lr": 0.05, "norm": None}


def moment(epoch: int, step: int) -> Record:
    """What the net was like: the second of its samples is learnt in the second epoch."""
    return {
        "kind": "moment",
        "epoch": epoch,
        "step": step,
        "answers": [0, epoch - 1],
        "likely": [0.9, 0.4 * epoch],
        "confusion": [[3, 1], [3 - epoch, 1 + epoch]],
        "filters": [PNG, PNG],
        "layer": f"{CANARY}.0",
        "boundary": {"xs": [-1.0, 1.0], "ys": [0.0, 1.0], "values": [[0.0, 1.0], [0.25, 0.75]]},
    }


def epoch_record(epoch: int, step: int, accuracy: float) -> Record:
    validation = {"loss": 1.0 - accuracy, "accuracy": accuracy}
    return {
        "kind": "epoch",
        "epoch": epoch,
        "step": step,
        "train": {"loss": 1.1 - accuracy},
        "validation": validation,
        "best": True,
        "seconds": 0.5,
    }


def course(count: int = 60) -> list[Record]:
    """A whole run of two epochs."""
    half = count // 2
    losses = [2.0 - 1.5 * step / count for step in range(count)]
    score = {
        "train": {"loss": 0.5},
        "validation": {"loss": 0.6, "accuracy": 0.8},
        "test": {"loss": 0.61, "accuracy": 0.79},
    }
    return [
        {"kind": "start", "epochs": 2, "steps_per_epoch": half},
        NET,
        LAYERS,
        steps(1, losses[:half]),
        FINDING,
        epoch_record(1, half, 0.7),
        TEXT,
        FOLLOWED,
        moment(1, half),
        LAYERS | {"step": half},
        steps(half + 1, losses[half:], epoch=2),
        epoch_record(2, count, 0.8),
        moment(2, count),
        TIME | {"step": count},
        PICTURED,
        PREDICTIONS,
        {"kind": "end", "step": count, "epochs": 2, "seconds": 1.0, "reason": "finished", "score": score},
    ]


def make_run(folder: Path, records: Sequence[Mapping[str, Any]] | None = None, recipe: str = RECIPE) -> Path:
    """A run's folder with these records in its journal."""
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(recipe, encoding="utf-8")
    (folder / "environment.json").write_text(json.dumps({"host": CANARY, "versions": {"torch": "2"}}), encoding="utf-8")
    told = course() if records is None else records
    (folder / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in told), encoding="utf-8")
    return folder


def make_study(folder: Path, seeds: int = 6, factor: str = "optim.lr") -> Path:
    """A study of one factor, all of its members done."""
    folder.mkdir(parents=True)
    design = {
        "recipe": {},
        "factors": {factor: [0.01, 0.1]},
        "seeds": list(range(seeds)),
        "folds": 1,
        "metric": "accuracy",
    }
    (folder / "study.json").write_text(json.dumps(design), encoding="utf-8")
    members = [
        {
            "kind": "member",
            "factors": {factor: rate},
            "seed": seed,
            "fold": 0,
            "score": {"loss": 1.0 - rate, "accuracy": 0.8 + rate + 0.001 * seed},
            "diverged": False,
        }
        for seed in range(seeds)
        for rate in (0.01, 0.1)
    ]
    best = {"kind": "best", "factors": {factor: 0.1}, "validation": {"accuracy": 0.9}}
    told = [{"kind": "begin", "members": len(members), "failed": []}, *members, {"kind": "done", "seconds": 1.0}, best]
    (folder / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in told), encoding="utf-8")
    return folder


RANGES: list[Record] = [
    {"key": "optim.lr", "low": 1e-4, "high": 1.0, "log": True, "whole": False},
    {"key": "optim.momentum", "low": 0.0, "high": 0.9, "log": False, "whole": False},
]


def make_search(folder: Path, rounds: int = 2, trials: int = 12) -> Path:
    """A search among two settings, of which the first alone matters; trials are dropped, and one a round diverges."""
    folder.mkdir(parents=True)
    design = {
        "recipe": {}, "factors": {one["key"]: [one["low"], one["high"]] for one in RANGES}, "seeds": [0], "folds": 1,
        "metric": "accuracy", "margin": None, "search": {"ranges": RANGES, "trainings": 32, "minutes": None},
    }  # fmt: skip
    (folder / "study.json").write_text(json.dumps(design), encoding="utf-8")
    told: list[Record] = [{"kind": "begin"}]
    for number in range(1, rounds + 1):
        shares = [((7 * at + 3 * number) % trials + 0.5) / trials for at in range(trials)]
        points = [
            {"optim.lr": 10 ** (-4 + 4 * share), "optim.momentum": 0.9 * ((5 * at) % trials) / trials}
            for at, share in enumerate(shares)
        ]
        told.append({"kind": "round", "number": number, "points": points})
        order = sorted(range(trials), key=lambda at: abs(shares[at] - 0.7))
        for at, (point, share) in enumerate(zip(points, shares, strict=True)):
            accuracy, left = 0.95 - (share - 0.7) ** 2, (4 - 4 * order.index(at) // trials) % 4
            member = {
                "kind": "member", "factors": point, "seed": 0, "fold": 0, "round": number, "diverged": share > 0.95,
                "score": {"loss": 1 - accuracy, "accuracy": accuracy}, "epochs": 8 if left == 0 else left,
            }  # fmt: skip
            told.append(member | ({"dropped_at": 30 * left} if left else {}))
        told.append({"kind": "round-end", "number": number, "seconds": 2.0})
    best = {"kind": "best", "factors": told[2]["factors"], "validation": {"accuracy": 0.9}}
    told += [{"kind": "done", "seconds": 4.0}, best]
    (folder / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in told), encoding="utf-8")
    return folder


def make_cure(folder: Path, run: Path, seeds: int = 5) -> Path:
    """The study that tried the remedies of a run: one helps, one does harm, one is undecided."""
    folder.mkdir(parents=True)
    helps = {"optim.lr": 0.0125}
    worth = [
        ({}, 0.6, 0.001), (helps, 0.9, 0.001), ({"net.norm": "batch"}, 0.5, 0.001),
        ({"train.clip_norm": 5.0}, 0.62, 0.08),
        (helps | {"net.norm": "batch", "net.activation": "relu", "train.clip_norm": 5.0}, 0.899, 0.001),
    ]  # fmt: skip
    remedies = [{"rules": ["vanishing-gradient"], "changes": [helps, {"net.norm": "batch"}]}]
    kept = {"run": str(run), "findings": [{**FINDING, "line": None}], "remedies": remedies}
    design = {
        "recipe": {}, "factors": {"remedy": [change for change, _, _ in worth]}, "seeds": list(range(seeds)),
        "folds": 1, "metric": "accuracy", "margin": 0.01, "cure": kept,
    }  # fmt: skip
    (folder / "study.json").write_text(json.dumps(design), encoding="utf-8")
    members = [
        {
            "kind": "member", "factors": {"remedy": change}, "seed": seed, "fold": 0, "diverged": False,
            "samples": 2000,
            "score": {"loss": 1 - mean, "accuracy": round(mean + spread * ((7 * seed) % 5 - 2), 4)},
        }
        for seed in range(seeds)
        for change, mean, spread in worth
    ]  # fmt: skip
    best = {"kind": "best", "factors": {"remedy": helps}, "validation": {"accuracy": 0.9}, "run": "best"}
    told = [{"kind": "begin", "members": len(members)}, *members, {"kind": "done", "seconds": 1.0}, best]
    (folder / "journal.jsonl").write_text("".join(json.dumps(record) + "\n" for record in told), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Reply:
    """What came back over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Site:
    """A dashboard that answers, and a reader of it that may lie about everything."""

    def __init__(self, dashboard: LocalPage) -> None:
        at = urlsplit(dashboard.address)
        assert at.port is not None
        self.dashboard = dashboard
        self.port = at.port
        self.host = f"127.0.0.1:{at.port}"
        self.token = parse_qs(at.query)["token"][0]
        self.cookie = ""

    def enter(self) -> None:
        """Exchange the token for the cookie."""
        self.cookie = self.get(f"/start?token={self.token}").headers["set-cookie"].partition(";")[0]

    def let_in(self, context: Any) -> None:
        """Give a browser the cookie: the printed address itself works once only."""
        if not self.cookie:
            self.enter()
        name, _, value = self.cookie.partition("=")
        context.add_cookies([{"name": name, "value": value, "url": f"http://{self.host}"}])

    def get(self, target: str, **more: Any) -> Reply:
        return self.send(target, **more)

    def send(
        self,
        target: str,
        *,
        method: str = "GET",
        hosts: Sequence[str] | None = None,
        headers: Headers = (),
        cookie: str | None = None,
        body: bytes = b"",
    ) -> Reply:
        """Send just these bytes: nothing is tidied on the way, as a browser or a library would."""
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"Host: {host}" for host in ([self.host] if hosts is None else hosts)]
        lines += [f"{name}: {value}" for name, value in headers]
        known = self.cookie if cookie is None else cookie
        lines += [f"Cookie: {known}"] if known else []
        lines += ["Connection: close", "", ""]
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as wire:
            wire.sendall("\r\n".join(lines).encode("utf-8", "surrogateescape") + body)
            raw = b"".join(iter(lambda: wire.recv(65536), b""))
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in rest)
        told = {name.lower(): value.strip() for name, _, value in pairs}
        return Reply(int(first.split()[1]), told, body, raw)

    def rows(self) -> list[dict[str, Any]]:
        return self.get("/api/list?lang=en").json["rows"]

    def id_of(self, name: str) -> str:
        (found,) = [row["id"] for row in self.rows() if row["name"] == name]
        return str(found)

    def run(self, name: str) -> Any:
        return self.get(f"/api/run/{self.id_of(name)}?lang=en").json


@contextmanager
def served(folder: Path, **options: Any) -> Generator[Site]:
    """The dashboard of a folder, serving on a port of its own until the block ends."""
    with serving(open_dashboard(folder, port=0, **options)) as site:
        yield site


@contextmanager
def serving(dashboard: LocalPage) -> Generator[Site]:
    """A page that serves until the block ends."""
    thread = threading.Thread(target=dashboard.server.run, kwargs={"sockets": [dashboard.listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not dashboard.server.started and time.monotonic() < until:
        time.sleep(0.01)
    try:
        yield Site(dashboard)
    finally:
        dashboard.server.should_exit = True
        thread.join(20)
        dashboard.listening.close()
