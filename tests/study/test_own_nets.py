"""Nets of the user's own in a study: functions of any kind, named, nameless or alike, and what else may be given."""

import copy
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

import danlu
from danlu.base.errors import UserError

QUICK: dict[str, Any] = {"data": "iris", "epochs": 2, "seeds": 3, "progress": False}


def linear() -> nn.Module:
    return nn.Linear(4, 3)


def mlp() -> nn.Module:
    """Called like a net of danlu's, and another."""
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))


class Small(nn.Sequential):
    def __init__(self, hidden: int = 6) -> None:
        super().__init__(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 3))


class Maker:
    def __call__(self) -> nn.Module:
        return Small()


def nameless(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    def built() -> nn.Module:
        return build()

    built.__name__ = "<lambda>"
    return built


TRAINED = Small()
BUILDERS = {
    "function": (linear, "linear"),
    "class": (Small, "Small"),
    "lambda": (nameless(linear), "Linear"),
    "partial": (functools.partial(Small, hidden=5), "Small"),
    "object": (Maker(), "Small"),
    "copy": (nameless(lambda: copy.deepcopy(TRAINED)), "Small"),
}


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.every(3)
@pytest.mark.parametrize(("build", "name"), BUILDERS.values(), ids=BUILDERS)
def test_whatever_builds_a_net_can_be_compared(build: Any, name: str, work: Path) -> None:
    study = danlu.compare(build, vary={"lr": [0.01, 0.1]}, **QUICK)
    assert len(study.members) == 6
    assert study.folder == work / "studies" / f"{name.lower()}-iris"


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("levels", "names"),
    [
        ({"wide": linear, "deep": nameless(mlp)}, ["wide", "deep"]),
        ([nameless(linear), nameless(mlp)], ["Linear", "Sequential"]),
        ([nameless(linear), nameless(linear), "softmax-regression"], ["Linear", "Linear-2", "softmax-regression"]),
        ({"softmax-regression": "softmax-regression", "mlp": mlp}, ["softmax-regression", "mlp"]),
    ],
)
def test_own_nets_are_levels_and_a_study_opened_by_its_folder_goes_on_with_them(levels: Any, names: list[str]) -> None:
    study = danlu.compare(vary={"net": levels}, **QUICK)
    assert [member.factors["net.name"] for member in study.members if member.seed == 0] == names
    given = levels if isinstance(levels, dict) else dict(zip(names, levels, strict=True))
    functions = {name: level for name, level in given.items() if callable(level)}
    opened = danlu.Study(study.folder)
    with pytest.raises(UserError, match=f"cannot bring back: {', '.join(functions)}"):
        opened.more(1, progress=False)
    assert {member.seed for member in danlu.Study(study.folder).members} == {0, 1, 2}
    further = opened.more(1, net=functions, progress=False)
    assert len(further.members) == 4 * len(names)
    assert dict(further.members[0].score) == dict(study.members[0].score)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: danlu.compare(linear(), vary={"lr": [0.01, 0.1]}, **QUICK), "lambda: Linear"),
        (lambda: danlu.compare(vary={"net": [linear(), "mlp"]}, **QUICK), "lambda: Linear"),
        (lambda: danlu.compare(vary={"net": {"a": linear(), "b": linear}}, **QUICK), "lambda: Linear"),
        (lambda: danlu.compare(vary={"net": {"mine": "mlp", "b": linear}}, **QUICK), "mine is to be mlp"),
        (lambda: danlu.compare(vary={"net": [nameless(lambda: 3), linear]}, **QUICK), "gives a int, not a net"),  # pyright: ignore[reportArgumentType]
        (lambda: danlu.compare(lambda: nn.Linear(-1, 0), vary={"lr": [0.01, 0.1]}, **QUICK), "could not build a net"),
        (lambda: danlu.compare(vary={"net": {"a": linear}}, **QUICK), "one level"),
    ],
)
def test_what_builds_no_net_is_told(call: Callable[[], Any], message: str, work: Path, language: str) -> None:
    with pytest.raises(UserError, match=message if language == "en" else ".+"):
        call()
    assert list(work.iterdir()) == []


def test_more_seeds_by_folder_alone() -> None:
    """The whole of a recipe's study is in its folder: nothing need be given."""
    study = danlu.compare("softmax-regression", vary={"lr": [0.01, 0.1]}, **QUICK)
    further = danlu.Study(study.folder).more(seeds=4, progress=False)
    assert {member.seed for member in further.members} == set(range(7))
    assert {member.seed for member in danlu.Study(study.folder).more([20], progress=False).members} == {*range(7), 20}


@pytest.mark.every(4)
@pytest.mark.parametrize("seeds", [0, -1, [], [-3], ["a"], 2.5, None, True])
def test_seeds_that_are_none_leave_a_study_as_it_was(seeds: Any) -> None:
    study = danlu.compare("softmax-regression", vary={"lr": [0.01, 0.1]}, **QUICK)
    before = {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match="seeds"):
        danlu.Study(study.folder).more(seeds)
    assert {path: path.read_bytes() for path in study.folder.rglob("*") if path.is_file()} == before


def test_a_net_or_data_that_are_missing_leave_a_study_as_it_was() -> None:
    data = danlu.load("iris")
    own = danlu.load((data.x.numpy(), [int(label) for label in data.y]))  # pyright: ignore[reportAttributeAccessIssue]
    study = danlu.compare(linear, own, vary={"lr": [0.01, 0.1]}, epochs=2, seeds=3, progress=False)
    design = (study.folder / "study.json").read_bytes()
    missing: list[dict[str, Any]] = [{}, {"net": linear}, {"data": own}]
    for given in missing:
        with pytest.raises(UserError, match="cannot bring back"):
            danlu.Study(study.folder).more(2, progress=False, **given)
        assert (study.folder / "study.json").read_bytes() == design
    assert len(danlu.Study(study.folder).more(2, net=linear, data=own, progress=False).members) == 10
