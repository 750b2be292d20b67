"""Many trainings at once against the loop people write by hand, skorch under scikit-learn, and joblib on all cores.

    python benchmarks/study.py [--data FOLDER] [--repeats 5] [--share 1.0] [--only digits …]

Every repeat runs all contestants once, one after the other; a ratio is the median over repeats of the ratios inside a
repeat, because other work on the machine slows whole repeats. All train the same nets on the same folds with the same
settings for the same number of epochs, and all give the training loss of every epoch and the validation score of every
training. `--share 0.1` lets the others train every tenth of the trainings only, and counts their time tenfold.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor, nn

import danlu
from danlu.base.events import StackListener
from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, TrainRecipe
from danlu.base.seeds import global_seed
from danlu.nets import MLP, LeNet5, LinearRegression
from danlu.stack import FoldRows, RunningStack, StackMember, Trained, train_members
from danlu.store.journal import Journal
from danlu.study.beside import Beside
from danlu.study.member_key import MemberKey

CPU = torch.device("cpu")


@dataclass
class Case:
    """A study: the folds, and one (net, recipe, fold) for each training."""

    name: str
    asked: dict[str, float]
    folds: list[FoldRows]
    members: list[StackMember]
    make: Callable[[StackMember], nn.Module]
    task: str
    outputs: int

    def nets(self, members: Sequence[StackMember]) -> list[nn.Module]:
        nets: list[nn.Module] = []
        for member in members:
            with global_seed(member.seed, "initial-weights"):
                nets.append(self.make(member))
        return nets

    def danlu(self, members: Sequence[StackMember], **settings: Any) -> Trained:
        """As a study trains them: with their curves in a journal, and a checkpoint where half a minute has passed."""
        nets = self.nets(members)
        place = Path(tempfile.mkdtemp(prefix="danlu-study-"))
        try:
            with Journal(place / "journal.jsonl") as journal:
                beside = Beside(journal, place / "stacks", len(members), None, print, lambda: False)

                def listeners(stack: RunningStack) -> list[StackListener]:
                    keys = [MemberKey({"number": number}, 0, members[number].fold) for number in stack.places]
                    recipes = [members[number].recipe for number in stack.places]
                    return beside.listeners(stack, keys, recipes, self.task)

                trained = train_members(
                    nets, members, self.folds, task=self.task, outputs=self.outputs, device=CPU, listeners=listeners,
                    **settings,
                )  # fmt: skip
        finally:
            shutil.rmtree(place)
        assert isinstance(trained, Trained)
        return trained

    def shared(self, members: Sequence[StackMember]) -> Trained:
        """danlu, with one order of samples for all seeds of a fold."""
        return self.danlu([replace(member, order_seed=0) for member in members])

    def loop(self, members: Sequence[StackMember]) -> None:
        for member in members:
            train_by_hand(self.make, member, self.folds[member.fold], self.task)

    def joblib(self, members: Sequence[StackMember]) -> None:
        import joblib

        jobs = (
            joblib.delayed(train_by_hand)(self.make, member, self.folds[member.fold], self.task) for member in members
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            joblib.Parallel(n_jobs=os.cpu_count())(jobs)

    def skorch(self, members: Sequence[StackMember]) -> None:
        """scikit-learn's cross-validation of a skorch net, for every setting and seed over its folds."""
        import skorch
        from sklearn.model_selection import cross_val_score

        by_setting: dict[Any, list[StackMember]] = {}
        for member in members:
            by_setting.setdefault((member.recipe.optim.lr, member.seed), []).append(member)
        for same in by_setting.values():
            first = same[0]
            net = skorch.NeuralNetClassifier(
                self.make(first),
                criterion=nn.CrossEntropyLoss,
                optimizer=torch.optim.SGD,
                optimizer__momentum=first.recipe.optim.momentum,
                lr=first.recipe.optim.lr,
                max_epochs=first.recipe.train.epochs,
                batch_size=first.recipe.train.batch_size,
                iterator_train__shuffle=True,
                train_split=None,
                verbose=0,
            )
            fold = self.folds[first.fold]
            x, y = fold.inputs.numpy(), fold.targets.numpy()
            parts = [(self.folds[member.fold].train.numpy(), held(self.folds[member.fold]).numpy()) for member in same]
            cross_val_score(net, x, y, cv=parts)


def held(fold: FoldRows) -> Tensor:
    assert fold.validation is not None
    return fold.validation


def train_by_hand(
    make: Callable[[StackMember], nn.Module], member: StackMember, fold: FoldRows, task: str
) -> tuple[float, float]:
    """The loop as textbooks write it for tensors in memory: training loss every epoch, validation score at the end."""
    torch.manual_seed(member.seed)
    recipe = member.recipe
    net = make(member)
    loss_function: nn.Module = nn.CrossEntropyLoss() if task == "classification" else nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=recipe.optim.lr or 0.0, momentum=recipe.optim.momentum or 0.0)
    x, y = fold.inputs[fold.train], fold.targets[fold.train]
    size = recipe.train.batch_size or 0
    total = 0.0
    for _ in range(recipe.train.epochs):
        net.train()
        total = 0.0
        order = torch.randperm(len(x))
        for start in range(0, len(x), size):
            rows = order[start : start + size]
            inputs, targets = x[rows], y[rows]
            optimizer.zero_grad()
            loss = loss_function(net(inputs), targets)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(inputs)
    net.eval()
    with torch.no_grad():
        outputs, wanted = net(fold.inputs[held(fold)]), fold.targets[held(fold)]
        if task == "classification":
            score = (outputs.argmax(1) == wanted).float().mean().item()
        else:
            score = loss_function(outputs, wanted).item()
    return total / len(x), score


def recipe(
    lr: float, seed: int, epochs: int, batch: int, *, momentum: float = 0.9, loss: str = "cross-entropy"
) -> Recipe:
    return Recipe(
        optim=OptimRecipe(name="sgd", lr=lr, momentum=momentum),
        loss=LossRecipe(name=loss),
        train=TrainRecipe(epochs=epochs, batch_size=batch, seed=seed),
    )


def folds_of(x: Tensor, y: Tensor, count: int, *, stratified: bool) -> list[FoldRows]:
    from sklearn.model_selection import KFold, StratifiedKFold

    split = (StratifiedKFold if stratified else KFold)(count, shuffle=True, random_state=0)
    parts = split.split(x.numpy(), y.numpy())
    return [FoldRows(x, y, torch.from_numpy(train), torch.from_numpy(rest)) for train, rest in parts]


RATES = (0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3)


def perceptron(member: StackMember) -> nn.Module:
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def digits_data() -> tuple[Tensor, Tensor]:
    from sklearn.datasets import load_digits

    data = load_digits()
    return torch.tensor(data.data / 16, dtype=torch.float32), torch.tensor(data.target)


def digits(_: Path | None) -> Case:
    folds = folds_of(*digits_data(), 5, stratified=True)
    members = [
        StackMember(recipe(rate, seed, 10, 32), fold) for fold in range(5) for rate in RATES for seed in range(3)
    ]
    asked = {"loop": 30, "skorch": 40, "joblib": 15}
    return Case("digits, MLP 64-64-10, 120 trainings", asked, folds, members, perceptron, "classification", 10)


def table(name: str, data: Path) -> tuple[Tensor, Tensor]:
    """All rows of a table, standardised."""
    loaded = danlu.load(name, root=str(data))
    x, y = loaded.x, loaded.y  # type: ignore[attr-defined]
    return x.float(), y.float() if y.is_floating_point() else y


def california(data: Path | None) -> Case | None:
    if data is None:
        return None
    x, y = table("california-housing", data)
    folds = folds_of(x, y, 5, stratified=False)
    settings = [(fold, seed, 0.001 * 1.2**k) for fold in range(5) for seed in range(10) for k in range(20)]
    members = [StackMember(recipe(rate, seed, 3, 64, momentum=0.0, loss="mse"), fold) for fold, seed, rate in settings]

    def make(member: StackMember) -> nn.Module:
        return LinearRegression(inputs=x.shape[1])

    return Case("California housing, 1,000 linear regressions", {"loop": 100}, folds, members, make, "regression", 1)


PIMA_RATES = (0.1, 0.2, 0.3, 0.4, 0.5)


def dropping(member: StackMember) -> nn.Module:
    return MLP(8, 2, (16,), dropout=float(member.recipe.net.options["dropout"]))


def pima(data: Path | None) -> Case | None:
    if data is None:
        return None
    x, y = table("pima-diabetes", data)
    folds = folds_of(x, y, 10, stratified=True)
    base = [(fold, seed, rate) for fold in range(10) for seed in range(20) for rate in PIMA_RATES]
    members = [StackMember(_with_dropout(recipe(0.05, seed, 10, 16), rate), fold) for fold, seed, rate in base]
    return Case(
        "Pima, 10 folds × 20 seeds × 5 dropout rates", {"loop": 30}, folds, members, dropping, "classification", 2
    )


def _with_dropout(recipe: Recipe, rate: float) -> Recipe:
    return replace(recipe, net=replace(recipe.net, name="mlp", options={"dropout": rate}))


def lenet5(member: StackMember) -> nn.Module:
    return LeNet5()


def mnist(data: Path | None) -> Case | None:
    if data is None:
        return None
    images = danlu.load("mnist", root=str(data))
    x = images.x[:12_000].float().sub_(33).div_(78)  # type: ignore[attr-defined]
    fold = FoldRows(x, images.y[:12_000], torch.arange(10_000), torch.arange(10_000, 12_000))  # type: ignore[attr-defined]
    members = [StackMember(recipe(0.001 * 1.4**k, 0, 1, 64)) for k in range(16)]
    name = "LeNet-5 on 10,000 MNIST images, 16 trainings"
    return Case(name, {"loop": 1.5}, [fold], members, lenet5, "classification", 10)


CASES: dict[str, Callable[[Path | None], Case | None]] = {
    "digits": digits,
    "california": california,
    "pima": pima,
    "mnist": mnist,
}


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def compare(case: Case, repeats: int, share: float) -> None:
    """Print everyone's median time for the whole study, and the median ratio to danlu's."""
    step = max(1, round(1 / share))
    few = case.members[::step]
    scale = len(case.members) / len(few)
    ways: dict[str, Callable[[], object]] = {"danlu": lambda: case.danlu(case.members)}
    if len({member.seed for member in case.members}) > 1:
        ways["danlu, one order"] = lambda: case.shared(case.members)
    ways["loop"] = lambda: case.loop(few)
    if "joblib" in case.asked:
        ways["joblib"] = lambda: case.joblib(few)
    with contextlib.suppress(ImportError):
        if "skorch" in case.asked:
            __import__("skorch")
            ways["skorch"] = lambda: case.skorch(few)
    took: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + 1):
        for name in ways if repeat % 2 else reversed(ways):
            seconds = timed(ways[name]) * (1.0 if name.startswith("danlu") else scale)
            if repeat:  # the first round warms up, starts joblib's processes among others
                took[name].append(seconds)
    print(f"\n{case.name}: {repeats} repeats", flush=True)
    for name, times in took.items():
        line = f"  {name:18}{statistics.median(times):9.3f} s"
        for ours in (name for name in took if name.startswith("danlu")):
            if not name.startswith("danlu"):
                ratio = statistics.median(theirs / own for theirs, own in zip(times, took[ours], strict=True))
                line += f"   {ratio:7.1f} × {ours}"
        line += f"   (asked: {case.asked[name]} ×)" if name in case.asked else ""
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--data", default=os.environ.get("DANLU_DATA"), help="folder that holds the data sets")
    parser.add_argument("--only", nargs="*", default=list(CASES))
    arguments = parser.parse_args()
    numpy.seterr(all="ignore")
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, Python {sys.version.split()[0]}")
    for name in arguments.only:
        case = CASES[name](Path(arguments.data) if arguments.data else None)
        if case is None:
            print(f"\n{name}: left out; name the folder with the data with --data or $DANLU_DATA")
        else:
            compare(case, arguments.repeats, arguments.share)


if __name__ == "__main__":
    main()
