"""Nets and forests on tables: `danlu.fit(NET, data)` with nothing else said beside scikit-learn's defaults.

    python benchmarks/tables.py --data FOLDER [--nets mlp,tabm] [--splits 0,1,2] [--names A,B] [--write]

Every table is split by danlu, as 70, 10 and 20 %. danlu's nets are trained on the training part and choose by the
validation part; `RandomForest` and `HistGradientBoosting`, at their defaults, are fitted to both together. Scored is
the test part: accuracy, or R². Told for each net: its mean rank among itself and the two (1 is best), and the mean of
its scores between the worst (0) and the best (1) of the three. FOLDER holds the tables that no library brings along.
"""

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

import danlu
from danlu.data import Dataset
from small_data import samples

RESULTS = Path(__file__).parent / "RESULTS.md"
TABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "airfoil": ("airfoil_self_noise.dat", {"target": -1, "header": False}),
    "auto-mpg": ("auto-mpg.csv", {"target": "MPG", "task": "regression"}),
    "boston": ("boston.csv", {"target": "y"}),
    "diabetes": ("", {}),
    "house-prices": ("kaggle_house_pred_train.csv", {"target": "SalePrice"}),
    "wine-quality": ("winequality-red.csv", {"target": -1, "header": False, "task": "regression"}),
    "california-housing": ("", {}),
    "breast-cancer": ("", {}),
    "ionosphere": ("ionosphere.csv", {"target": "y"}),
    "iris": ("", {}),
    "pima-diabetes": ("pima-diabetes.csv.gz", {"target": -1, "header": False}),
    "sonar": ("sonar.csv", {"target": "y"}),
    "titanic": ("titanic.csv", {"target": "Survived"}),
    "wine": ("", {}),
}
THEIRS = {
    "forest": {"regression": RandomForestRegressor, "classification": RandomForestClassifier},
    "boosting": {"regression": HistGradientBoostingRegressor, "classification": HistGradientBoostingClassifier},
}


def table(name: str, folder: Path, split: int) -> Dataset:
    """The table, split by this seed."""
    file, options = TABLES[name]
    if file:
        return danlu.load(folder / file, split_seed=split, **options)
    return danlu.load(name, root=str(folder), split_seed=split)


def scored_trees(data: Dataset) -> dict[str, float]:
    """What scikit-learn's score on the test part."""
    known, test = samples(data, "train", "validation"), samples(data, "test")
    return {name: float(kinds[data.task](random_state=0).fit(*known).score(*test)) for name, kinds in THEIRS.items()}


def scored_net(net: str, data: Dataset) -> tuple[float, float]:
    """What danlu's scores on the test part, and in how many seconds it was trained."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = danlu.fit(net, data, folder=Path(folder) / "run", watch=False, progress=False)
        test = run.score["test"]
    return test["r2" if data.task == "regression" else "accuracy"], time.perf_counter() - started


def standings(scores: Sequence[Mapping[str, float]], net: str) -> dict[str, tuple[float, float]]:
    """Mean rank and mean normalised score of a net and the two others, over all tables and splits."""
    found: dict[str, list[tuple[float, float]]] = {}
    for one in scores:
        three = {name: one[name] for name in (net, *THEIRS)}
        low, high = min(three.values()), max(three.values())
        for name, score in three.items():
            others = [other for each, other in three.items() if each != name]
            rank = 1 + sum(other > score for other in others) + sum(other == score for other in others) / 2
            found.setdefault(name, []).append((rank, (score - low) / (high - low) if high > low else 1.0))
    return {
        name: (statistics.fmean(r for r, _ in own), statistics.fmean(s for _, s in own)) for name, own in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--nets", default="mlp,tabm")
    parser.add_argument("--splits", default="0,1,2")
    parser.add_argument("--names", default=",".join(TABLES))
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    nets, splits = asked.nets.split(","), [int(split) for split in asked.splits.split(",")]
    columns = [*nets, *THEIRS]
    lines = [f"| table | {' | '.join(columns)} | seconds a training |", f"|---|{'---|' * len(columns)}---|"]
    scores: list[dict[str, float]] = []
    print("\n".join(lines))
    for name in asked.names.split(","):
        own: list[dict[str, float]] = []
        seconds: dict[str, list[float]] = {net: [] for net in nets}
        for split in splits:
            data = table(name, asked.data, split)
            score = scored_trees(data)
            for net in nets:
                score[net], took = scored_net(net, data)
                seconds[net].append(took)
            own.append(score)
        means = [f"{statistics.fmean(score[column] for score in own):.3f}" for column in columns]
        took = ", ".join(f"{net} {statistics.fmean(seconds[net]):.0f}" for net in nets)
        lines.append(f"| {name} | {' | '.join(means)} | {took} |")
        print(lines[-1], flush=True)
        scores += own
    for net in nets:
        told = (f"{name} {rank:.2f} and {share:.2f}" for name, (rank, share) in standings(scores, net).items())
        lines.append(f"\nMean rank and mean normalised score: {', '.join(told)}.")
        print(lines[-1])
    if asked.write:
        machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
        command = f"python benchmarks/tables.py --nets {asked.nets} --splits {asked.splits}"
        head = f"\n## Tables, {datetime.now(UTC):%Y-%m-%d}\n\n{machine}; `{command}`\n\n"
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
