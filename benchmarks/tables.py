"""Nets and forests on tables: `danlu.fit(NET, data)` with nothing else said beside scikit-learn's defaults.

    python benchmarks/tables.py --data FOLDER [--nets mlp,tabm] [--splits 0,1,2] [--names A,B] [--log FILE] [--write]

Every table is split by danlu, as 70, 10 and 20 %. danlu's nets are trained on the training part and choose by the
validation part; `RandomForest` and `HistGradientBoosting`, at their defaults, are fitted to both together. Scored is
the test part: accuracy, or R². Told are the mean rank (1 is best) and the mean of the scores between the worst (0) and
the best (1), among all of them, and among each net and the two. FOLDER holds the tables that no library brings along.
"""

import argparse
import json
import os
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
    "breast-cancer": ("", {}),
    "ionosphere": ("ionosphere.csv", {"target": "y"}),
    "iris": ("", {}),
    "pima-diabetes": ("pima-diabetes.csv.gz", {"target": -1, "header": False}),
    "sonar": ("sonar.csv", {"target": "y"}),
    "titanic": ("titanic.csv", {"target": "Survived"}),
    "wine": ("", {}),
    "digits": ("", {}),
    "california-housing": ("", {}),
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


def standings(scores: Sequence[Mapping[str, float]], names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Mean rank and mean normalised score of each of `names` among them, over all tables and splits."""
    found: dict[str, list[tuple[float, float]]] = {}
    for one in scores:
        among = {name: one[name] for name in names}
        low, high = min(among.values()), max(among.values())
        for name, score in among.items():
            others = [other for each, other in among.items() if each != name]
            rank = 1 + sum(other > score for other in others) + sum(other == score for other in others) / 2
            found.setdefault(name, []).append((rank, (score - low) / (high - low) if high > low else 1.0))
    return {
        name: (statistics.fmean(r for r, _ in own), statistics.fmean(s for _, s in own)) for name, own in found.items()
    }


def measured(name: str, split: int, nets: Sequence[str], folder: Path) -> dict[str, Any]:
    """The scores of all on one split of a table, the seconds of each training and the load of the machine."""
    data = table(name, folder, split)
    scores, seconds = scored_trees(data), dict[str, float]()
    for net in nets:
        scores[net], seconds[net] = scored_net(net, data)
    return {"table": name, "split": split, "scores": scores, "seconds": seconds, "load": os.getloadavg()[0]}


def all_measured(asked: argparse.Namespace, log: Path) -> list[dict[str, Any]]:
    """What is asked for, table by table; what stands in `log` is not measured again, and all else is added to it."""
    known = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    nets, splits = asked.nets.split(","), [int(split) for split in asked.splits.split(",")]
    found: list[dict[str, Any]] = []
    for name in asked.names.split(","):
        for split in splits:
            done = [one for one in known if (one["table"], one["split"]) == (name, split)]
            one = next((one for one in done if set(nets) <= one["seconds"].keys()), None)
            if one is None:
                one = measured(name, split, nets, asked.data)
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(one) + "\n")
            found.append(one)
    return found


def report(found: Sequence[Mapping[str, Any]], nets: Sequence[str]) -> list[str]:
    """Lines of Markdown: a row a table, means over its splits, then how all stand."""
    columns = [*nets, *THEIRS]
    lines = [f"| table | {' | '.join(columns)} | behind | seconds a training |", f"|{'---|' * (len(columns) + 3)}"]
    for name in dict.fromkeys(one["table"] for one in found):
        own = [one for one in found if one["table"] == name]
        mean = {column: statistics.fmean(one["scores"][column] for one in own) for column in columns}
        behind = [
            f"{net} ({', '.join(trees)})" for net in nets if (trees := [t for t in THEIRS if mean[net] < mean[t]])
        ]
        took = ", ".join(f"{net} {statistics.fmean(one['seconds'][net] for one in own):.0f}" for net in nets)
        cells = " | ".join(f"{mean[column]:.3f}" for column in columns)
        lines.append(f"| {name} | {cells} | {'; '.join(behind)} | {took} |")
    scores = [one["scores"] for one in found]
    lines += ["", f"Mean rank (1 is best) and mean normalised score, over {len(scores)} tables and splits:", ""]
    lines += [f"| among | {' | '.join(columns)} |", f"|{'---|' * (len(columns) + 1)}"]
    for among in (columns, *([net, *THEIRS] for net in nets)):
        stands = standings(scores, among)
        cells = (f"{stands[one][0]:.2f}, {stands[one][1]:.3f}" if one in stands else "" for one in columns)
        lines.append(f"| {len(among)} | {' | '.join(cells)} |")
    longest = max(seconds for one in found for seconds in one["seconds"].values())
    loads = [one["load"] for one in found]
    lines += ["", f"Longest training {longest:.0f} s; load of the machine {min(loads):.0f} to {max(loads):.0f}."]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--nets", default="mlp,tabm")
    parser.add_argument("--splits", default="0,1,2")
    parser.add_argument("--names", default=",".join(TABLES))
    parser.add_argument("--log", type=Path, help="where each split's scores are kept, and found again")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lines = report(all_measured(asked, asked.log or Path(folder) / "tables.jsonl"), asked.nets.split(","))
    print("\n".join(lines))
    if asked.write:
        machine = f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
        command = f"python benchmarks/tables.py --nets {asked.nets} --splits {asked.splits}"
        head = f"\n## Tables, {datetime.now(UTC):%Y-%m-%d}\n\n{machine}; `{command}`\n\n"
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
