"""What each architecture of the notes reaches on real data, beside what is asked of it.

    python benchmarks/scores.py [NAME …] [--data FOLDER] [--write]

Without names all are trained, one after the other, which takes an hour on two cores. `--write` puts the figures into
the section "Scores" of RESULTS.md. Settings were chosen by the validation part; what counts is the test part, which
each training scores once. The exit code is 1 where a score is missed.
"""

import argparse
import math
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

import danlu
from danlu.store.journal import read

RESULTS = Path(__file__).parent / "RESULTS.md"


@dataclass(frozen=True)
class Seen:
    """What a training reached, whether that is what was asked, and how it was trained."""

    figure: str
    met: bool
    how: str


@dataclass(frozen=True)
class Trial:
    """What is trained, what is asked of it, and how it is carried out."""

    what: str
    asked: str
    carry_out: Callable[["Furnace"], Seen]


class Furnace:
    """Trains in `folder`, which is thrown away, on data that lie under `root`."""

    def __init__(self, root: str | None, folder: str) -> None:
        self.root, self.folder = root, Path(folder)

    def load(self, name: str, **settings: Any) -> danlu.data.Dataset:
        return danlu.load(name, root=self.root, **settings)

    def fit(self, net: str, data: Any, **settings: Any) -> danlu.Run:
        dotted = {key.replace("__", "."): value for key, value in settings.items()}
        run = danlu.fit(net, data, folder=self.folder / f"run-{len(list(self.folder.iterdir()))}", **dotted)
        print(f"    {run.score}", flush=True)
        return run


def accuracy(run: danlu.Run) -> float:
    return run.score["test"]["accuracy"]


def at_least(wanted: float, found: float, how: str) -> Seen:
    return Seen(f"{found:.4f}", found >= wanted, how)


def lenet5_mnist(furnace: Furnace) -> Seen:
    run = furnace.fit(
        "lenet5",
        furnace.load("mnist"),
        epochs=5,
        batch_size=64,
        activation="relu",
        pooling="max",
        lr=0.05,
        momentum=0.9,
        schedule__name="one-cycle",
    )
    return at_least(0.989, accuracy(run), "ReLU, max pooling; SGD 0.05, momentum 0.9, one cycle, batch 64")


def resnet_fashion_mnist(furnace: Furnace) -> Seen:
    run = furnace.fit(
        "small-resnet",
        furnace.load("fashion-mnist", augment="flip"),
        epochs=6,
        batch_size=128,
        depth=8,
        lr=0.1,
        momentum=0.9,
        schedule__name="one-cycle",
        weight_decay=5e-4,
    )
    return at_least(0.91, accuracy(run), "depth 8, flips; SGD 0.1, one cycle over 6 epochs, batch 128")


def cifar10(furnace: Furnace, net: str, how: str, **settings: Any) -> Seen:
    """`net` beside the logistic baseline, on the same 9,000 training pictures."""
    baseline = furnace.fit("softmax-regression", furnace.load("cifar10"), epochs=10, batch_size=64, lr=0.001)
    run = furnace.fit(
        net,
        furnace.load("cifar10", augment=("crop", "flip")),
        batch_size=64,
        momentum=0.9,
        schedule__name="one-cycle",
        weight_decay=5e-4,
        **settings,
    )
    more = 100 * (accuracy(run) - accuracy(baseline))
    figure = f"{accuracy(run):.4f}, baseline {accuracy(baseline):.4f}: {more:+.1f} points"
    return Seen(figure, more >= 20, f"crops and flips; {how}; baseline SGD 0.001, 10 epochs")


def inception_cifar10(furnace: Furnace) -> Seen:
    return cifar10(furnace, "small-inception", "SGD 0.02, one cycle over 20 epochs", lr=0.02, epochs=20)


def resnet_cifar10(furnace: Furnace) -> Seen:
    return cifar10(furnace, "small-resnet", "depth 14, SGD 0.1, one cycle over 15 epochs", lr=0.1, epochs=15, depth=14)


def densenet_cifar10(furnace: Furnace) -> Seen:
    return cifar10(
        furnace, "small-densenet", "depth 22, SGD 0.1, one cycle over 12 epochs", lr=0.1, epochs=12, depth=22
    )


def lstm_names(furnace: Furnace) -> Seen:
    run = furnace.fit(
        "sequence-classifier",
        furnace.load("names"),
        epochs=10,
        batch_size=64,
        cell="lstm",
        hidden=128,
        bidirectional=True,
        dropout=0.2,
        optim__name="adam",
        lr=0.003,
        schedule__name="cosine",
    )
    return at_least(0.80, accuracy(run), "bidirectional, hidden 128, dropout 0.2; Adam 0.003, cosine over 10 epochs")


def characters_time_machine(furnace: Furnace) -> Seen:
    run = furnace.fit(
        "language-model",
        furnace.load("time-machine", validation=0.05, test=0.1),
        epochs=30,
        batch_size=32,
        hidden=256,
        embedding=64,
        dropout=0.3,
        optim__name="adam",
        lr=0.003,
        schedule__name="cosine",
        clip_norm=1.0,
    )
    found = run.score["test"]["perplexity"]
    how = "LSTM, hidden 256, dropout 0.3, 35 steps; Adam 0.003, cosine over 30 epochs; last 10 % of the book held out"
    return Seen(f"{found:.2f}", found <= 6, how)


def words_wikitext(furnace: Furnace) -> Seen:
    run = furnace.fit(
        "language-model",
        furnace.load("wikitext-2", min_frequency=2),
        epochs=5,
        batch_size=20,
        hidden=128,
        embedding=128,
        tied=True,
        dropout=0.3,
        optim__name="adam",
        lr=0.003,
        clip_norm=1.0,
    )
    epochs = [record["validation"]["perplexity"] for record in epoch_records(run)]
    falling = all(later < earlier for earlier, later in pairwise(epochs))
    figure = " → ".join(f"{number:.0f}" for number in epochs)
    return Seen(f"{figure} (held-out end)", falling, "LSTM, hidden 128, tied, dropout 0.3; Adam 0.003, 5 epochs")


def epoch_records(run: danlu.Run) -> list[dict[str, Any]]:
    return [record for record in read(run.folder / "journal.jsonl") if record["kind"] == "epoch"]


def mlp_pima(furnace: Furnace) -> Seen:
    scores = [
        accuracy(
            furnace.fit(
                "mlp",
                furnace.load("pima-diabetes", split_seed=seed),
                seed=seed,
                epochs=40,
                hidden=[16],
                optim__name="adam",
                lr=0.003,
                weight_decay=0.01,
                progress=False,
            )
        )
        for seed in range(10)
    ]
    mean, spread = statistics.mean(scores), statistics.stdev(scores)
    how = "hidden 16; Adam 0.003, 40 epochs; ten seeds, each with a split of its own"
    return Seen(f"{mean:.4f} ± {spread:.4f} (deviation, n - 1)", mean >= 0.74, how)


def mixture_two_branches(furnace: Furnace) -> Seen:
    """y = ±(0.5 + x²): by the branch, ten points within 0.1; the mean of both is 0 everywhere."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(2000, 1, generator=generator) * 2 - 1
    side = torch.where(torch.rand(2000, 1, generator=generator) < 0.5, -1.0, 1.0)
    y = side * (0.5 + x**2) + 0.05 * torch.randn(2000, 1, generator=generator)
    settings: dict[str, Any] = {
        "epochs": 100,
        "batch_size": 64,
        "optim__name": "adam",
        "lr": 0.01,
        "schedule__name": "cosine",
    }
    mixed = furnace.fit("mixture-density", (x, y), components=2, progress=False, **settings)
    plain = furnace.fit("mlp", (x, y), hidden=[64, 64], progress=False, **settings)
    grid = torch.linspace(-0.9, 0.9, 10).unsqueeze(1)
    branch = 0.5 + grid.flatten() ** 2
    with torch.no_grad():
        means = mixed.net()(grid)[:, :, 1].sort(dim=1).values
        between = plain.net()(grid).flatten()
    off = (means - torch.stack([-branch, branch], dim=1)).abs().max().item()
    away = (branch - between.abs()).min().item()
    figure = f"branches within {off:.3f}; the squared error's curve is {away:.2f} or more from either"
    return Seen(
        figure, off <= 0.1 and away > 0.3, "2 components, hidden 64, 64; Adam 0.01, cosine over 100 epochs; noise 0.05"
    )


TRIALS = {
    "lenet5-mnist": Trial("LeNet-5 on MNIST, 5 epochs: accuracy", "≥ 0.989", lenet5_mnist),
    "resnet-fashion-mnist": Trial("small ResNet on Fashion-MNIST: accuracy", "≥ 0.91", resnet_fashion_mnist),
    "inception-cifar10": Trial("small Inception on 9,000 of CIFAR-10", "baseline + 20 points", inception_cifar10),
    "resnet-cifar10": Trial("small ResNet on 9,000 of CIFAR-10", "baseline + 20 points", resnet_cifar10),
    "densenet-cifar10": Trial("small DenseNet on 9,000 of CIFAR-10", "baseline + 20 points", densenet_cifar10),
    "lstm-names": Trial("LSTM on names: accuracy", "≥ 0.80", lstm_names),
    "characters-time-machine": Trial("character LSTM on The Time Machine: perplexity", "≤ 6", characters_time_machine),
    "words-wikitext": Trial("word LSTM on WikiText-2's validation file: perplexity", "falling", words_wikitext),
    "mlp-pima": Trial("MLP on Pima, mean of ten seeds: accuracy", "≥ 0.74", mlp_pima),
    "mixture-two-branches": Trial("mixture density net, y = ±(0.5 + x²)", "both branches", mixture_two_branches),
}


def write(rows: dict[str, str]) -> None:
    """Put table rows into the section "Scores" of RESULTS.md; those of trials not run now stay."""
    text = RESULTS.read_text(encoding="utf-8")
    before, heading, after = text.partition("## Scores\n")
    section, following, rest = after.partition("\n## ")
    old = {match[1]: match[0] for match in re.finditer(r"^\| `([\w-]+)` \|.*$", section, re.MULTILINE)}
    kept = [{**old, **rows}[name] for name in TRIALS if name in old or name in rows]
    lines = [
        "Scores of the test part: `make scores`, or `python benchmarks/scores.py NAME` for one. 2 cores of a CPU,",
        "torch 2.13. The time is that of all the trainings of a row together, on a machine with other work.",
        "",
        "| name | what is trained | asked | seen | time | how | date |",
        "|---|---|---|---|---|---|---|",
        *kept,
    ]
    head = before if heading else before.rstrip("\n") + "\n\n"
    RESULTS.write_text(f"{head}## Scores\n\n" + "\n".join(lines) + "\n" + following + rest, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TRIALS))
    parser.add_argument("--data", default=os.environ.get("DANLU_DATA"), help="folder that holds mnist/ and the others")
    parser.add_argument("--write", action="store_true", help="put the figures into RESULTS.md")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in TRIALS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(TRIALS)}")
    missed = 0
    for name in arguments.names or TRIALS:
        trial = TRIALS[name]
        print(f"{name}: {trial.what}, asked {trial.asked}", flush=True)
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="scores-") as folder:
            seen = trial.carry_out(Furnace(arguments.data, folder))
        took = f"{math.ceil(time.perf_counter() - begin)} s, threads: {torch.get_num_threads()}"
        figure = seen.figure if seen.met else f"**missed:** {seen.figure}"
        print(f"  seen {figure}   ({took})", flush=True)
        missed += not seen.met
        if arguments.write:
            day = datetime.now(UTC).date()
            write({name: f"| `{name}` | {trial.what} | {trial.asked} | {figure} | {took} | {seen.how} | {day} |"})
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
