"""Why danlu's defaults are what they are, and where they stand beside scikit-learn's.

    python benchmarks/defaults.py [study] [tables] [folders] [--data FOLDER] [--names A,B] [--write]

Without words all three are done, which takes an hour of one core; `--write` puts what was done into RESULTS.md.

study    settings side by side on small data, scored on the test parts of splits 100, 101 and 102, which serve for
         nothing else: the multilayer perceptron in stacks, one first weights a split
tables   `danlu.fit("mlp", data)` with nothing else said, on splits 0, 1 and 2, beside MLPClassifier and MLPRegressor;
         and, since three small test parts say little, the same trainings as stacks on twenty other splits
folders  `danlu.fit(data=FOLDER)` with nothing else said, beside a random forest on the pixels

The exit code is 1 where a default falls behind scikit-learn's by more than 0.01, on the mean, or collapses.
"""

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor

import danlu
from danlu.base.events import Stop
from danlu.base.recipe import LossRecipe, NetRecipe, OptimRecipe, Recipe, ScheduleRecipe, TrainRecipe
from danlu.base.seeds import global_seed
from danlu.data import Dataset
from danlu.run.settings.usual import usual_train
from danlu.stack import StackMember, train_members
from danlu.study.samples import stack_folds
from danlu.train.metrics import Metrics
from small_data import ASKED, FOLDERS, OTHERS, Make, samples, write_folder

RESULTS = Path(__file__).parent / "RESULTS.md"
CPU = torch.device("cpu")
CHOSEN_ON, JUDGED_ON, FURTHER = (100, 101, 102), (0, 1, 2), tuple(range(200, 220))
# With more samples than this the test parts are large, and twenty splits take long.
FEW_SAMPLES = 2_000
MOST_BEHIND = 0.01


@dataclass(frozen=True)
class Candidate:
    """Settings that could be the defaults. `seen` samples are shown to the net in 20 to 200 epochs; None: 20."""

    what: str
    seen: int | None = 64_000
    weights: str = "best"
    ema: float | None = None
    schedule: str = "constant"
    net: dict[str, Any] = field(default_factory=dict[str, Any])
    optim: dict[str, Any] = field(default_factory=dict[str, Any])
    loss: dict[str, Any] = field(default_factory=dict[str, Any])

    def recipe(self, data: Dataset) -> Recipe:
        count = data.sizes["train"]
        epochs = 20 if self.seen is None else min(200, max(20, round(self.seen / count)))
        optim: dict[str, Any] = {"name": "sgd", "lr": 0.01, "momentum": 0.9, **self.optim}
        loss = "cross-entropy" if data.task == "classification" else "mse"
        return Recipe(
            net=NetRecipe(name="mlp"),
            loss=LossRecipe(name=loss, **(self.loss if data.task == "classification" else {})),
            optim=OptimRecipe(**optim),
            schedule=ScheduleRecipe(name=self.schedule),
            train=TrainRecipe(epochs=epochs, batch_size=16, weights=self.weights, ema=self.ema),  # pyright: ignore[reportArgumentType]
        )


CHOSEN = Candidate("64,000 samples seen, best weights (chosen)")
CANDIDATES = (
    Candidate("20 epochs, last weights (danlu 0.1)", seen=None, weights="last"),
    CHOSEN,
    Candidate("32,000 samples seen, best weights", seen=32_000),
    Candidate("64,000, last weights", weights="last"),
    Candidate("64,000, best weights, cosine", schedule="cosine"),
    Candidate("64,000, last weights, cosine", schedule="cosine", weights="last"),
    Candidate("64,000, best weights, rate 0.03", optim={"lr": 0.03}),
    Candidate("64,000, best weights, weight decay 0.01", optim={"weight_decay": 0.01}),
    Candidate("64,000, best weights, Adam 0.001", optim={"name": "adam", "lr": 0.001, "momentum": None}),
    Candidate("64,000, best weights, dropout 0.2", net={"dropout": 0.2}),
    Candidate("64,000, best weights, label smoothing 0.1", loss={"label_smoothing": 0.1}),
    Candidate("64,000, best weights, averaged (0.99)", ema=0.99),
)


def test_scores(datasets: Sequence[Dataset], candidates: Sequence[Candidate]) -> list[float]:
    """What each candidate scores on the test parts, in the mean; those that differ in numbers only share a stack."""
    if len({data.sample_shape for data in datasets}) > 1:  # a rare category may be in one training part alone
        alone = [test_scores([data], candidates) for data in datasets]
        return [statistics.fmean(scores) for scores in zip(*alone, strict=True)]
    groups: dict[str, list[Candidate]] = {}
    for one in candidates:
        key = (one.net, one.optim.get("name"), one.recipe(datasets[0]).train.epochs, one.loss, one.ema is None)
        groups.setdefault(str(key), []).append(one)
    scores: dict[str, list[float]] = {}
    for group in groups.values():
        pairs = [(fold, one) for fold in range(len(datasets)) for one in group]
        nets = [_net(datasets[fold], one) for fold, one in pairs]
        trained = train_members(
            nets,
            [StackMember(one.recipe(datasets[fold]), fold) for fold, one in pairs],
            stack_folds(datasets, CPU, torch.float32),
            task=datasets[0].task,
            outputs=datasets[0].outputs,
            device=CPU,
            workers=1,
        )
        assert not isinstance(trained, Stop)  # nobody asks for it
        for (fold, one), net, state in zip(pairs, nets, trained.states, strict=True):
            net.load_state_dict(state)
            scores.setdefault(one.what, []).append(_test_score(net, datasets[fold]))
    return [statistics.fmean(scores[one.what]) for one in candidates]


def _test_score(net: danlu.nets.MLP, data: Dataset) -> float:
    metrics = Metrics(data.task, data.outputs, bounds=data.limited(True).bounds)
    with torch.no_grad():
        for x, y in data.batches("test", 10**6, device=CPU):
            metrics.update(net.eval()(x), y)
    return metrics.compute(0.0)[metric_of(data)]


def _net(data: Dataset, candidate: Candidate) -> danlu.nets.MLP:
    with global_seed(0, "initial-weights"):
        return danlu.nets.MLP(inputs=math.prod(data.sample_shape), outputs=data.outputs, **candidate.net)


def metric_of(data: Dataset) -> str:
    return "accuracy" if data.task == "classification" else "r2"


def study(root: Path, names: Sequence[str]) -> list[str]:
    """A line of Markdown a candidate: its mean over three splits of each data set."""
    columns: dict[str, list[float]] = {}
    for name, make in select(ASKED | OTHERS, names):
        datasets = [data for seed in CHOSEN_ON if (data := make(root, seed)) is not None]
        if datasets:
            columns[name] = test_scores(datasets, CANDIDATES)
            print(f"{name}: " + " ".join(f"{value:.3f}" for value in columns[name]), flush=True)
    lines = [
        "| settings | " + " | ".join(columns) + " | worst fall behind the best |",
        "|---" * (len(columns) + 2) + "|",
    ]
    best = {name: max(value for value in values if value == value) for name, values in columns.items()}
    for place, one in enumerate(CANDIDATES):
        values = {name: column[place] for name, column in columns.items()}
        behind = max(best[name] - value if value == value else math.inf for name, value in values.items())
        cells = " | ".join("diverged" if value != value else f"{value:.3f}" for value in values.values())
        lines.append(f"| {one.what} | {cells} | {'diverged' if behind == math.inf else f'{behind:.3f}'} |")
    return lines


@dataclass(frozen=True)
class Standing:
    """How danlu's defaults and scikit-learn's stand on one data set, split by split."""

    metric: str
    ours: list[float]
    theirs: list[float]  # trained on the training part, the target in its own unit
    fairer: list[float]  # the target standardised; of a classification, trained on the validation part as well
    further: list[float]  # ours less theirs, on further splits; empty where there are samples enough

    @property
    def difference(self) -> float:
        return statistics.fmean(self.ours) - statistics.fmean(self.theirs)

    @property
    def fails(self) -> bool:
        return self.difference < -MOST_BEHIND or (self.metric == "r2" and min(self.ours) < 0)

    def row(self, name: str) -> str:
        cells = [f"{statistics.fmean(self.ours):.4f} ± {statistics.stdev(self.ours):.4f}", f"{min(self.ours):.4f}"]
        cells += [
            f"{statistics.fmean(self.theirs):.4f}",
            f"{self.difference:+.4f}",
            f"{statistics.fmean(self.fairer):.4f}",
        ]
        if self.further:
            error = statistics.stdev(self.further) / math.sqrt(len(self.further))
            cells.append(f"{statistics.fmean(self.further):+.4f} ± {error:.4f}")
        else:
            cells.append("")
        return f"| {name} | {self.metric} | " + " | ".join(cells) + " |" + (" **behind**" if self.fails else "")


def standing(make: Make, root: Path) -> Standing | None:
    rows: list[tuple[float, float, float]] = []
    metric = ""
    for seed in JUDGED_ON:
        data = make(root, seed)
        if data is None:
            return None
        metric = metric_of(data)
        with tempfile.TemporaryDirectory(prefix="defaults-") as folder:
            ours = danlu.fit("mlp", data, folder=Path(folder) / "run", progress=False).score["test"][metric]
        rows.append((ours, *scikit_learn(data)))
    ours, theirs, fairer = (list(column) for column in zip(*rows, strict=True))
    return Standing(metric, ours, theirs, fairer, further(make, root))


def further(make: Make, root: Path) -> list[float]:
    """How far danlu's defaults are ahead of scikit-learn's on each of FURTHER; none of a large data set."""
    first = make(root, FURTHER[0])
    if first is None or sum(first.sizes.values()) > FEW_SAMPLES:
        return []
    ahead: list[float] = []
    for seed in FURTHER:
        data = make(root, seed)
        assert data is not None
        weights = usual_train(TrainRecipe(), "sgd", data.sizes["train"], data.sizes["validation"]).weights
        ours = test_scores([data], [replace(CHOSEN, weights=weights or "last")])[0]
        ahead.append(ours - scikit_learn(data)[0])
    return ahead


def scikit_learn(data: Dataset) -> tuple[float, float]:
    """Its defaults on the same samples, and the second column of `Standing`."""
    x, y = samples(data, "train")
    at, wanted = samples(data, "test")
    with warnings.catch_warnings(action="ignore"):  # it says that 200 epochs were not enough
        if data.task == "classification":
            more, labels = samples(data, "train", "validation")
            plain = MLPClassifier(random_state=0).fit(x, y).score(at, wanted)
            return float(plain), float(MLPClassifier(random_state=0).fit(more, labels).score(at, wanted))
        in_unit, wanted_in_unit = (data.decode(torch.from_numpy(values)[:, None]) for values in (y, wanted))
        plain = MLPRegressor(random_state=0).fit(x, in_unit).score(at, wanted_in_unit)
        return float(plain), float(MLPRegressor(random_state=0).fit(x, y).score(at, wanted))


def tables(root: Path, names: Sequence[str]) -> tuple[list[str], bool]:
    """Rows of Markdown, and whether a default falls behind."""
    lines = [
        "| data | metric | danlu | worst split | scikit-learn | difference | scikit-learn, helped | 20 other splits |",
        "|---|---|---|---|---|---|---|---|",
    ]
    stands: list[Standing] = []
    for name, make in select(ASKED, names):
        found = standing(make, root)
        lines.append(f"| {name} | not at hand | | | | | | |" if found is None else found.row(name))
        print(lines[-1], flush=True)
        if found is not None:
            stands.append(found)
    mean = statistics.fmean(one.difference for one in stands)
    helped = statistics.fmean(statistics.fmean(one.ours) - statistics.fmean(one.fairer) for one in stands)
    lines += ["", f"Mean difference {mean:+.4f}; to scikit-learn, helped: {helped:+.4f}."]
    return lines, any(one.fails for one in stands) or mean <= 0


def folders(root: Path, names: Sequence[str]) -> tuple[list[str], bool]:
    """Rows of Markdown, and whether a forest is better somewhere."""
    lines = ["| folder | net | danlu | random forest | difference | processor s |", "|---|---|---|---|---|---|"]
    beaten = False
    for name, count in FOLDERS:
        if names and name not in names:
            continue
        with tempfile.TemporaryDirectory(prefix="defaults-") as place:
            folder = Path(place) / name
            if not write_folder(root, name, count, folder):
                lines.append(f"| {count} of {name} | not at hand | | | | |")
                continue
            data = danlu.load(folder)
            begin = time.process_time()
            run = danlu.fit(data=data, folder=Path(place) / "run", progress=False)
            took = time.process_time() - begin
            ours = run.score["test"]["accuracy"]
            told = [f"{key} {value}" for key, value in run.recipe.net.options.items()]
            net = ", ".join([run.recipe.net.name, *told, *(run.recipe.data.augment or ())])
        forest = RandomForestClassifier(random_state=0).fit(*samples(data, "train"))
        theirs = float(forest.score(*samples(data, "test")))
        beaten = beaten or ours <= theirs
        row = f"| {count} of {name} | {net} | {ours:.4f} | {theirs:.4f} | {ours - theirs:+.4f} |"
        lines.append(f"{row} {took:.0f} |" + (" **behind**" if ours <= theirs else ""))
        print(lines[-1], flush=True)
    return lines, beaten


def select(makes: dict[str, Make], names: Sequence[str]) -> list[tuple[str, Make]]:
    return [(name, make) for name, make in makes.items() if not names or name in names]


_HEADINGS = {
    "study": "Defaults: the study",
    "tables": "Defaults: `mlp` on tables",
    "folders": "Defaults: folders of pictures",
}


def write(part: str, lines: Sequence[str]) -> None:
    """Put a section into RESULTS.md, in the place of the one of that name."""
    text, heading = RESULTS.read_text(encoding="utf-8"), f"## {_HEADINGS[part]}"
    day = f"`make defaults`, {datetime.now(UTC).date()}, torch {torch.__version__.partition('+')[0]}."
    before, found, after = text.partition(f"{heading}\n")
    rest = after.partition("\n## ")[1:] if found else ("", "")
    head = before if found else before.rstrip("\n") + "\n\n"
    section = "\n".join([heading, "", day, "", *lines, ""])
    RESULTS.write_text(head + section + "".join(rest), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(_HEADINGS))
    parser.add_argument("--data", default=os.environ.get("DANLU_DATA"), help="folder that holds the files")
    parser.add_argument("--names", default="", help="data sets, with commas between them; all, if not given")
    parser.add_argument("--write", action="store_true", help="put what was done into RESULTS.md")
    arguments = parser.parse_args()
    if unknown := [part for part in arguments.parts if part not in _HEADINGS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(_HEADINGS)}")
    root = Path(arguments.data or ".")
    names = [name for name in arguments.names.split(",") if name]
    do: dict[str, Callable[[], tuple[list[str], bool]]] = {
        "study": lambda: (study(root, names), False),
        "tables": lambda: tables(root, names),
        "folders": lambda: folders(root, names),
    }
    failed = False
    for part in arguments.parts or _HEADINGS:
        lines, behind = do[part]()
        failed = failed or behind
        print("\n".join(lines), flush=True)
        if arguments.write:
            write(part, lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
