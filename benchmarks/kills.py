"""Kill a training again and again, resume it, and compare its end with that of a run nobody disturbed, bit for bit.

    PYTHONPATH=tests python benchmarks/kills.py --kills 100
    PYTHONPATH=tests python benchmarks/kills.py --kills 100 --engine study
    PYTHONPATH=tests python benchmarks/kills.py --kills 100 --engine further
    PYTHONPATH=tests python benchmarks/kills.py --kills 10 --engine tasks

Two thirds of the kills come from outside at a random moment, one third from inside a save: a write half done, before an
fsync, before a rename. Every fifth training is killed five times in a row. `--sabotage order` draws the order of the
samples anew after each resume, and must make the comparison fail. The exit code is 0 when every end state was equal.
With `--engine study` it is a study that is killed, whose 24 trainings run as two stacks; with `--engine further` a
training that goes on from another run, and where no folder stands yet begins to do so again. With `--engine tasks` it
is each of the trainings of tests/killed_tasks.py (or the one that is named), each killed so often.

The trainings run in forked children of a process that has imported torch but computed nothing, because starting Python
and torch a thousand times would take an hour.
"""

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pydantic  # noqa: F401  (imported for the children, each of which would take seconds over it; so the next three)
import sklearn.datasets
import sklearn.model_selection  # noqa: F401
import tomli_w  # noqa: F401
import torch
from torch import nn

import danlu
import danlu.data.memory
import killed_tasks
from danlu.base.seeds import order, stream
from danlu.stack import feed
from danlu.store.journal import read
from danlu.store.run_environment import read_environment
from danlu.study import carry_out
from danlu.train.checkpoint import load_newest
from dying import die_inside_a_save, forked

CHAIN = 5
PARENT = "parent"


class Net(nn.Module):
    """Small, but with all that has a state: batch normalisation, dropout, tied weights."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.first = nn.Linear(64, 24)
        self.norm = nn.BatchNorm1d(24)
        self.again = nn.Linear(24, 24)
        self.last = nn.Linear(24, 10)
        self.twin = nn.Linear(24, 24)
        self.twin.weight = self.again.weight
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters()):
                parameter.copy_(torch.randn(parameter.shape, generator=stream(seed, "net", number)) * 0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = nn.functional.dropout(self.norm(self.first(x.flatten(1))).relu(), 0.3, self.training)
        return self.last(self.twin(self.again(x).tanh()).tanh())


def chain(seed: int) -> nn.Module:
    """A net that the stacked engine writes out."""
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 24), nn.Tanh(), nn.Dropout(0.3), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 10)
    )
    with torch.no_grad():
        for number, parameter in enumerate(net.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=stream(seed, "net", number)) * 0.2)
    return net


NETS = {"module": Net, "stacked": chain}  # by the engine that trains them

SETTINGS = {
    "schedule.name": "plateau",
    "schedule.patience": 0,
    "schedule.gamma": 0.7,
    "optim.name": "adam",
    "optim.lr": 0.01,
    "train.epochs": 30,
    "train.patience": 2,
    "train.batch_size": 128,
    "train.ema": 0.9,
    "train.clip_norm": 1.0,
    "train.checkpoint_steps": 7,
    "train.weights": "best",
}


VARY = {"lr": [0.01, 0.03, 0.1, 1e6], "net.activation": ["relu", "tanh"]}
STUDY = {
    "seeds": 3,
    "optim.momentum": 0.9,
    "net.dropout": 0.2,
    "schedule.name": "cosine",
    "train.epochs": 12,
    "train.patience": 4,
    "train.batch_size": 128,
    "train.ema": 0.9,
    "train.checkpoint_steps": 7,
}


def study(folder: Path, sabotage: str) -> None:
    """Begin the study in `folder`, or go on with it. What each member's weights are goes into a file beside it."""
    original = carry_out._record

    def record(planned: Any, key: Any, trained: Any, column: int) -> Any:
        state = trained.states[column]
        digest = hashlib.sha256(b"".join(state[name].numpy().tobytes() for name in sorted(state))).hexdigest()
        with folder.with_suffix(".weights").open("a") as file:
            file.write(f"{key.key}: {digest}\n")
        return original(planned, key, trained, column)

    carry_out._record = record
    if (folder / "study.json").exists():
        if sabotage == "order":
            feed.order = lambda count, seed, epoch: order(count, seed + os.getpid(), epoch)
        danlu.resume(folder, progress=False)
    else:
        danlu.compare("mlp", "digits", vary=VARY, folder=folder, progress=False, **STUDY)


def study_end_state(folder: Path) -> tuple[dict[str, torch.Tensor], str]:
    """The scores of all members and the hashes of their weights."""
    members = sorted(str(row) for row in read(folder / "journal.jsonl") if row.get("kind") == "member")
    assert not (folder / "stacks").exists(), "checkpoints were left behind"
    return {}, repr((members, sorted(set(folder.with_suffix(".weights").read_text().splitlines()))))


def train(folder: Path, sabotage: str, engine: str) -> None:
    """Begin the run in `folder`, or go on with it: with a net of other first weights, which must not matter."""
    torch.set_num_threads(1)
    if engine == "study":
        study(folder, sabotage)
    elif engine in killed_tasks.TASKS and not (folder / "recipe.toml").exists():
        killed_tasks.begin(engine, folder)
    elif engine == "further" and not (folder / "recipe.toml").exists():
        danlu.Run(folder.with_name(PARENT)).fit(epochs="+25", folder=folder, progress=False)
    elif (folder / "recipe.toml").exists():
        if sabotage == "order":
            danlu.data.memory.order = lambda count, seed, epoch: order(count, seed + os.getpid(), epoch)
        if engine in killed_tasks.TASKS:
            killed_tasks.go_on(engine, folder, os.getpid())
            return
        net = NETS[engine](os.getpid()) if engine in NETS else None
        danlu.resume(folder, net=net, progress=False)
    else:
        danlu.fit(NETS[engine](0), "digits", folder=folder, progress=False, **SETTINGS)


def finish(folder: Path, sabotage: str, engine: str) -> float:
    """Let the run come to its end; the seconds it took."""
    begin = time.monotonic()
    _, status = os.waitpid(forked(lambda: train(folder, sabotage, engine)), 0)
    if status:
        raise SystemExit(f"a training that nobody killed ended with status {status}")
    return time.monotonic() - begin


def end_state(folder: Path) -> tuple[dict[str, torch.Tensor], str]:
    """All tensors of the last checkpoint, and its numbers but for the clock's; or what a study came to."""
    if (folder / "study.json").exists():
        return study_end_state(folder)
    checkpoint = load_newest(folder / "checkpoints").checkpoint
    assert checkpoint is not None
    tensors = {f"{part}/{name}": tensor for part, named in checkpoint.parts.items() for name, tensor in named.items()}
    return tensors, repr({key: value for key, value in checkpoint.state.items() if key != "seconds"})


def same(one: tuple[dict[str, torch.Tensor], str], other: tuple[dict[str, torch.Tensor], str]) -> bool:
    return (
        one[1] == other[1]
        and one[0].keys() == other[0].keys()
        and all(tensor.equal(other[0][name]) for name, tensor in one[0].items())
    )


class Tally:
    """Kills and trainings so far."""

    def __init__(self) -> None:
        self.kills = self.inside = self.trainings = self.equal = 0


def disturb(folder: Path, sabotage: str, engine: str, seconds: float, chance: random.Random, tally: Tally) -> None:
    """Begin the run in `folder`, or go on with it, and kill it at a random moment of its `seconds`."""
    in_save = chance.random() < 1 / 3
    moment = chance.randint(1, 60)

    def work() -> None:
        if in_save:
            die_inside_a_save(moment)
        train(folder, sabotage, engine)

    child = forked(work)
    if not in_save:
        time.sleep(chance.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        tally.kills += 1
        tally.inside += in_save
    elif status:
        raise SystemExit(f"a training ended with status {status}")


def harass(place: Path, kills: int, sabotage: str, engine: str, chance: random.Random) -> Tally:
    """Train and kill until `kills` kills are done; each training ends undisturbed in the end, and is compared."""
    if engine == "further":
        danlu.fit("mlp", "digits", folder=place / PARENT, progress=False, **{**SETTINGS, "train.epochs": 5})
    finish(place / "undisturbed", "none", engine)
    wanted = end_state(place / "undisturbed")
    if engine in NETS:
        assert (read_environment(place / "undisturbed" / "environment.json") or {})["engine"] == engine
        epochs = danlu.Run(place / "undisturbed").epochs
        assert epochs < SETTINGS["train.epochs"], "patience was to end it before its time"
    seconds = min(finish(place / f"again-{number}", "none", engine) for number in range(3))
    assert same(wanted, end_state(place / "again-0")), "two undisturbed runs differ: nothing can be compared"
    tally = Tally()
    while tally.kills < kills:
        folder = place / f"run-{tally.trainings}"
        for _ in range(CHAIN if tally.trainings % 5 == 0 else 1):
            if tally.kills < kills:
                disturb(folder, sabotage, engine, seconds, chance, tally)
        tally.trainings += 1
        finish(folder, sabotage, engine)
        if same(wanted, end_state(folder)):
            tally.equal += 1
            shutil.rmtree(folder)
        else:
            print(f"differs: {folder}")
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sabotage", choices=["none", "order"], default="none")
    engines = [*NETS, "study", "further", "tasks", *killed_tasks.TASKS]
    parser.add_argument("--engine", choices=engines, default="module", help="what trains")
    arguments = parser.parse_args()
    code, chance = 0, random.Random(arguments.seed)
    for engine in killed_tasks.TASKS if arguments.engine == "tasks" else [arguments.engine]:
        place = Path(tempfile.mkdtemp(prefix="danlu-kills-"))
        tally = harass(place, arguments.kills, arguments.sabotage, engine, chance)
        print(
            f"{engine}: {tally.kills} kills ({tally.inside} inside a save), {tally.trainings} trainings: "
            f"{tally.equal} of {tally.trainings} ended bit-identical",
            flush=True,
        )
        if tally.equal < tally.trainings:
            code = 1
        else:
            shutil.rmtree(place)
    return code


if __name__ == "__main__":
    sys.exit(main())
