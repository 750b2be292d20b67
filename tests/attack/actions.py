"""What is disturbed: tiny trainings, studies, searches, cures and range tests, and what each of them ends with."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import danlu
from danlu.lab.cure.proof import Proof
from danlu.study.search.result import Search
from danlu.study.study import Study
from danlu.train.checkpoint import load_newest

QUIET: dict[str, Any] = {"progress": False}
TIMES = ("seconds", "loading_seconds", "training_seconds", "study", "run")


@dataclass(frozen=True)
class Action:
    """`go` begins what lies in a folder, or goes on with it; `end` is all of its result, but for the clock's."""

    name: str
    go: Callable[[Path], object]
    end: Callable[[Path], Any]


def fit(folder: Path) -> None:
    if (folder / "recipe.toml").exists():
        danlu.resume(folder, **QUIET)
        return
    danlu.fit(
        "mlp", "iris", folder=folder, epochs=6, batch_size=16, lr=0.01, ema=0.9, clip_norm=1.0, checkpoint_steps=5,
        **QUIET, **{"net.hidden": [8], "net.dropout": 0.3, "net.norm": "batch", "optim.name": "adam",
                    "schedule.name": "plateau", "schedule.patience": 0, "train.weights": "best",
                    "watch.silence": ["loader-starved"]},  # a loaded machine starves loaders
    )  # fmt: skip


def compare(folder: Path) -> None:
    vary = {"lr": [0.01, 0.1], "optim.name": ["sgd", "rprop"]}
    danlu.compare("softmax-regression", "iris", vary=vary, seeds=2, epochs=4, folder=folder, jobs=1, **QUIET)


def search(folder: Path) -> None:
    danlu.search("softmax-regression", "iris", space={"lr": (1e-4, 1)}, trainings=16, epochs=8, folder=folder, **QUIET)


def lr_find(folder: Path) -> None:
    found = danlu.lr_find("softmax-regression", "iris", points=12, steps=20).as_dict()
    folder.mkdir(exist_ok=True)
    (folder / "found.json").write_text(json.dumps(found))


def ill(folder: Path) -> None:
    """A run that diverges, for cure to mend."""
    danlu.fit("mlp", "iris", folder=folder, epochs=3, lr=20.0, momentum=0.0, **QUIET, **{"net.hidden": [8]})


def cure(folder: Path) -> None:
    danlu.cure(folder.with_name("ill"), seeds=3, folder=folder, **QUIET)


def plain(value: Any) -> Any:
    """Without what the clock and the place have to say."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items() if key not in TIMES}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def weights(folder: Path) -> str:
    """A hash of all tensors in the last checkpoint of a run, and of its state."""
    checkpoint = load_newest(folder / "checkpoints").checkpoint
    assert checkpoint is not None, f"{folder} has no checkpoint"
    held = hashlib.sha256(repr(sorted(plain(checkpoint.state).items())).encode())
    for part, tensors in sorted(checkpoint.parts.items()):
        for name, tensor in sorted(tensors.items()):
            held.update(f"{part} {name} {tensor.dtype} {list(tensor.shape)}".encode())
            held.update(tensor.contiguous().flatten().view(-1).numpy().tobytes())
    return held.hexdigest()


def end_of_run(folder: Path) -> Any:
    run = danlu.Run(folder)
    assert run.finished, f"{folder} is not finished"
    return [weights(folder), repr(run.score), run.epochs, run.steps, repr(plain(run.as_dict()["findings"]))]


def _sorted(record: dict[str, Any]) -> Any:
    members = record.pop("members")
    return [sorted(map(repr, members)), repr(record)]


def end_of_study(folder: Path) -> Any:
    study = Study(folder)
    assert study.finished and study.best, f"{folder} is not finished"
    return [*_sorted(plain(study.as_dict())), weights(study.best.run)]


def end_of_search(folder: Path) -> Any:
    found = Search(folder)
    assert found.finished and found.best, f"{folder} is not finished"
    return [*_sorted(plain(found.as_dict())), weights(found.best.run)]


def end_of_cure(folder: Path) -> Any:
    return [repr(plain(Proof.of_study(Study(folder)).as_dict())), *end_of_study(folder)]


def end_of_rates(folder: Path) -> Any:
    return [repr(plain(json.loads((folder / "found.json").read_text())))]


FIT = Action("fit", fit, end_of_run)
COMPARE = Action("compare", compare, end_of_study)
SEARCH = Action("search", search, end_of_search)
CURE = Action("cure", cure, end_of_cure)
RATES = Action("lr-find", lr_find, end_of_rates)
ACTIONS = (FIT, COMPARE, SEARCH, CURE, RATES)


def undisturbed_end(action: Action, base: Path) -> Any:
    """What the action ends with where nothing disturbs it, in `base` / "undisturbed"; before a cure, what it is of."""
    if action is CURE:
        ill(base / "ill")
    action.go(base / "undisturbed")
    return action.end(base / "undisturbed")
