"""The power is cut at every moment of a fit, of one that trains another further, of a study and more of it, of a search
and of a cure: what is read then is what stood before an operation or what stands after it, nothing counts as whole that
is not, and it goes on to the same end.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import danlu
from attack.actions import COMPARE, CURE, FIT, QUIET, SEARCH, Action, ill, plain
from danlu.run.package import read_package
from danlu.store.new_run import NewRun
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.study.search.result import Search
from danlu.study.study import Study
from danlu.train.checkpoint import load_newest
from power_cut import ModelDisk, Operation, Recorder, Tree, put

REPLACED = ("recipe.toml", "environment.json", "package.json", "study.json", "best.toml", "report.html")
BEFORE = ("environment.json", "package.json")  # these are there before the recipe that makes a run of them
GONE_ON_WITH = 6  # of what is left, in so many cases the action is carried out again


def own_weights(folder: Path) -> None:
    """A run whose first weights no recipe can bring back."""
    torch.manual_seed(0)
    net = torch.nn.Linear(4, 3)
    if (folder / "recipe.toml").exists():
        danlu.resume(folder, net=net, **QUIET)
    else:
        danlu.fit(net, "iris", folder=folder, epochs=2, checkpoint_steps=5, **QUIET)


def twice(folder: Path) -> None:
    """A study, and then more seeds of it."""
    vary = {"lr": [0.01, 0.1]}
    if not (folder / "study.json").exists() or len(StudyFolder.open(folder).read_design()["seeds"]) == 2:
        danlu.compare("softmax-regression", "iris", vary=vary, seeds=2, epochs=2, folder=folder, jobs=1, **QUIET)
        Study(folder).more([7], **QUIET)
    else:
        danlu.resume(folder, **QUIET)


def cured(folder: Path) -> None:
    """The cure of a run that lies outside, where the power does not reach."""
    danlu.cure(
        next(above / "ill" for above in folder.parents if (above / "ill").exists()), seeds=3, folder=folder, **QUIET
    )


def further(folder: Path) -> None:
    """A run that trains another further, which lies outside."""
    if (folder / "recipe.toml").exists():
        danlu.resume(folder, **QUIET)
    else:
        parent = next(above / "parent" for above in folder.parents if (above / "parent").exists())
        danlu.Run(parent).fit(epochs="+1", folder=folder, **QUIET)


ACTIONS = {
    "fit": FIT,
    "fit of given weights": Action("own", own_weights, FIT.end),
    "further": Action("further", further, FIT.end),
    "more": Action("more", twice, COMPARE.end),
    "search": SEARCH,
    "cure": Action("cure", cured, CURE.end),
}


def recorded(action: Action, root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Operation]:
    with monkeypatch.context() as patch:
        recorder = Recorder(patch, root)
        action.go(root / "it")
    return recorder.log


def contents(log: list[Operation], root: Path) -> dict[str, set[bytes]]:
    """All that ever stood, whole, in each of the files that are replaced at once."""
    disk, versions = ModelDisk(root), dict[str, set[bytes]]()
    for operation in log:
        disk.apply(operation)
        for name in {name for name in operation[1:] if isinstance(name, str) and name.endswith(REPLACED)}:
            folder, file = disk._parent(name)
            if file in folder.live and operation[0] in ("rename", "link", "fsync"):
                versions.setdefault(Path(name).relative_to(root).as_posix(), set()).add(folder.live[file].live)
    return versions


class Reader:
    """Reads what a power failure left, as a user would, and says what is wrong with it."""

    def __init__(self, whole: Path, versions: dict[str, set[bytes]]) -> None:
        self._whole, self._versions = whole, versions
        self._seen: set[tuple[bytes, ...]] = set()  # of studies: what was read of each already

    def faults(self, root: Path) -> Iterator[str]:
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root)
            counts = path.name in REPLACED and (path.name not in BEFORE or (path.parent / "recipe.toml").exists())
            if counts and path.read_bytes() not in self._versions[name.as_posix()]:
                yield f"{name} is torn"
        for folder in [path for path in sorted(root.rglob("*")) if path.is_dir()]:
            name = folder.relative_to(root)
            if (folder / "recipe.toml").exists():
                yield from (f"{name}: {fault}" for fault in self._faults_of_run(folder, name))
            elif (folder / "study.json").exists():
                yield from (f"{name}: {fault}" for fault in self._faults_of_study(folder, name))
            elif (self._whole / name / "recipe.toml").exists():
                with NewRun.at(folder, "", {}):
                    pass  # nothing that is in the way of a new one

    def _faults_of_run(self, folder: Path, name: Path) -> Iterator[str]:
        place = RunFolder(folder)
        run = danlu.Run(folder)
        if not place.environment.exists() or read_package(place.package) is None:
            yield "a run without its environment or its package"
        checkpoint = load_newest(place.checkpoints).checkpoint
        if checkpoint is None and "weights_given = true" in place.environment.read_text():
            yield "a run without its first weights"
        if not run.finished:
            if place.report.exists():
                yield "a report of a run that has not ended"
            return
        found, wanted = self._end(danlu.Run, folder), self._end(danlu.Run, self._whole / name)
        if found != wanted or checkpoint is None or len(run.history) != run.steps:
            yield "a run that has ended otherwise"

    def _faults_of_study(self, folder: Path, name: Path) -> Iterator[str]:
        if not (folder / "journal.jsonl").exists():
            return
        read = [folder / "study.json", folder / "best.toml", *sorted(folder.glob("**/journal.jsonl"))]
        seen = tuple(file.read_bytes() for file in read if file.exists())
        if seen in self._seen:
            return
        self._seen.add(seen)
        kind = Search if StudyFolder(folder).is_search else Study
        study, whole = kind(folder), kind(self._whole / name)
        str(study), study.as_dict()
        if not {repr(one) for one in study.members} <= {repr(one) for one in whole.members}:
            yield "members that never were"
        if study.best is None:
            return
        if not danlu.Run(study.best.run).finished or not study.best.test:
            yield "a best whose run has not ended"
        if study.best.recipe.fingerprint() not in study.best.run.name:
            yield "a best of another recipe"

    def _end(self, kind: Callable[[Path], Any], folder: Path) -> Any:
        return plain(kind(folder).as_dict())


SHORT = ("fit of given weights", "further")


@pytest.mark.every(2)
@pytest.mark.parametrize(
    "name", [name if name in SHORT else pytest.param(name, marks=pytest.mark.slow) for name in ACTIONS]
)
def test_a_power_failure_tears_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    action = ACTIONS[name]
    for parent in ("disk", "left"):
        (tmp_path / parent).mkdir()
    ill(tmp_path / "ill")
    danlu.fit("softmax-regression", "iris", folder=tmp_path / "parent", epochs=1, checkpoint_steps=5, **QUIET)
    log = recorded(action, tmp_path / "disk", monkeypatch)
    wanted = action.end(tmp_path / "disk" / "it")
    reader = Reader(tmp_path / "disk", contents(log, tmp_path / "disk"))
    known: dict[Tree, Path] = {}
    faults: dict[str, str] = {}
    disk = ModelDisk(tmp_path / "disk", most=6)
    for moment, operation in enumerate(log):
        disk.apply(operation)
        for tree in disk.survivors():
            if tree in known:
                continue
            known[tree] = tmp_path / "left" / str(len(known))
            put(tree, known[tree])
            try:
                found = list(reader.faults(known[tree]))
            except Exception as error:  # noqa: BLE001  (what it may be is what is looked for)
                found = [f"{type(error).__name__}: {error}"]
            for fault in found:
                faults.setdefault(fault, f"after {moment} {operation[:2]}: {fault} {known[tree]}")
    assert len(known) > len(log), "the harness looked at next to nothing"
    assert list(faults.values()) == []
    for folder in list(known.values())[:: len(known) // GONE_ON_WITH]:
        action.go(folder / "it")
        assert action.end(folder / "it") == wanted
    for number, tree in enumerate(disk.survivors()):  # the action has returned: all of it is there to stay
        put(tree, tmp_path / "left" / f"at the end {number}")
        assert action.end(tmp_path / "left" / f"at the end {number}" / "it") == wanted
