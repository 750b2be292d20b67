"""How the trainings of a study came on, as its journal tells: the numbers that each has when it is trained alone."""

from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.store.run_folder import RunFolder
from danlu.store.run_history import RunHistory
from danlu.store.study_history import StackCurves, StudyHistory
from danlu.study.member_curves import is_kept, points_each

SETTINGS: dict[str, Any] = {"epochs": 4, "batch_size": 32, "progress": False}


def curves_of(study: Any) -> list[StackCurves]:
    return StudyHistory.read(study.folder / "journal.jsonl").curves


def test_each_training_has_the_curve_that_it_has_alone_stacked_or_not(tmp_path: Path) -> None:
    vary = {"optim.name": ["sgd", "rprop"]}  # rprop cannot be stacked
    study = danlu.compare("mlp", "iris", vary=vary, seeds=2, folder=tmp_path / "s", jobs=1, **SETTINGS)
    found = 0
    for stack in curves_of(study):
        assert list(stack.epochs) == [1, 2, 3, 4]
        for place, (combination, seed, fold) in enumerate(stack.members):
            assert fold == 0
            factors = {**stack.combinations[combination]}
            alone = danlu.fit("mlp", "iris", folder=tmp_path / f"r{found}", seed=seed, **SETTINGS, **factors)
            epochs = RunHistory.read(RunFolder(alone.folder).journal).epochs
            losses = [row[place] for row in stack.train]
            assert losses == pytest.approx([epoch.train["loss"] for epoch in epochs], rel=1e-3)
            for name in ("loss", "accuracy"):
                measured = {
                    epoch: row[place]
                    for epoch, row in zip(stack.epochs, stack.validation[name], strict=True)
                    if row is not None
                }
                scores = {one.epoch: (one.validation or {})[name] for one in epochs if one.epoch in measured}
                assert 4 in measured
                assert measured == pytest.approx(scores, rel=1e-3)
            found += 1
    assert found == 4


def test_long_trainings_and_many_are_thinned(tmp_path: Path) -> None:
    settings = SETTINGS | {"epochs": 350}
    study = danlu.compare("softmax-regression", "iris", vary={"lr": [0.01, 0.1]}, folder=tmp_path / "s", **settings)
    for stack in curves_of(study):
        assert len(stack.epochs) in (100, 101)
        assert (stack.epochs[0], stack.epochs[-1]) == (1, 350)
    size = (study.folder / "journal.jsonl").stat().st_size
    assert size < 20 * 101 * 3 * 9 + 10_000


@pytest.mark.parametrize("members", [1, 120, 1_000, 10_000, 10**6])
@pytest.mark.parametrize("epochs", [1, 2, 10, 99, 100, 101, 10_000])
def test_what_is_kept_is_bounded(members: int, epochs: int) -> None:
    points = points_each(members)
    kept = [epoch for epoch in range(1, epochs + 1) if is_kept(epoch, epochs, points)]
    assert len(kept) <= points + 1
    assert len(kept) >= min(epochs, points)
    assert {1, epochs} <= set(kept)


def test_a_training_that_ends_early_has_a_curve_that_ends(tmp_path: Path) -> None:
    study = danlu.compare("mlp", "iris", vary={"lr": [0.05, 1e9]}, seeds=2, folder=tmp_path / "s", **SETTINGS)
    rows = {
        (stack.combinations[combination]["optim.lr"], seed): [row[place] is None for row in stack.train]
        for stack in curves_of(study)
        for place, (combination, seed, _) in enumerate(stack.members)
    }
    assert not any(rows[0.05, 0])
    assert rows[1e9, 1] == [True] * 4 or rows[1e9, 1] == [False, True, True, True]
