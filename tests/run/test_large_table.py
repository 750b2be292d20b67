"""A run on a table whose rows are kept on the disk is the run on the table in memory, also after an interruption."""

from pathlib import Path

import numpy
import pytest

import danlu
from danlu.base.errors import UserError
from danlu.data.large import dataset
from danlu.data.readers import table_blocks
from interruption import assert_same_end, interrupt_at

SETTINGS = {"epochs": 3, "batch_size": 16, "dropout": 0.2, "optim.name": "adam", "progress": False}


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table in blocks that are smaller than it is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(dataset, "AT_A_TIME", 50)
    random = numpy.random.default_rng(0)
    x = random.normal(size=(300, 3))
    rows = [
        f"{a:.3f},{'' if b > 1.5 else f'{b:.3f}'},{'red' if c > 0 else 'blue'},2021-0{n % 9 + 1}-03,{a + b > 0}"
        for n, (a, b, c) in enumerate(x.tolist())
    ]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,colour,day,kind", *rows]), encoding="utf-8")
    return tmp_path / "t.csv"


def test_the_weights_are_those_in_memory_and_a_resume_is_exact(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = danlu.load(table, target="kind", stream=False)
    whole = danlu.fit("mlp", small, folder=tmp_path / "whole", **SETTINGS)
    big = danlu.load(table, target="kind", stream=True)
    same = danlu.fit("mlp", big, folder=tmp_path / "same", **SETTINGS)
    assert_same_end(whole, same)
    assert whole.recipe.fingerprint() == same.recipe.fingerprint()
    interrupt_at(monkeypatch, 5, 14, 30)
    with pytest.raises(danlu.Interrupted, match="broken") as stopped:
        danlu.fit("mlp", big, folder=tmp_path / "broken", **SETTINGS)
    for _ in (14, 30):
        with pytest.raises(danlu.Interrupted, match="broken"):
            danlu.resume(stopped.value.folder, progress=False)
    assert_same_end(whole, danlu.resume(stopped.value.folder, progress=False))


def test_a_run_answers_without_the_table(table: Path, tmp_path: Path) -> None:
    data = danlu.load(table, target="kind", stream=True)
    run = danlu.fit("mlp", data, folder=tmp_path / "run", **SETTINGS)
    row = {"a": 2.0, "b": 1.0, "colour": "red", "day": "2021-04-03"}
    before = run.predict(row)
    assert run.evaluate(data)["accuracy"] == run.score["test"]["accuracy"]
    table.unlink()
    assert danlu.Run(run.folder).predict(row) == before
    with pytest.raises(UserError, match=r"t\.csv"):
        danlu.load(table, target="kind", stream=True)


def test_a_comparison_over_folds_is_that_in_memory(table: Path, tmp_path: Path) -> None:
    studies = [
        danlu.compare(
            "mlp",
            danlu.load(table, target="kind", stream=stream),
            vary={"optim.lr": [0.01, 0.1]},
            seeds=1,
            folds=2,
            epochs=1,
            progress=False,
            folder=tmp_path / f"study-{stream}",
        )
        for stream in (False, True)
    ]
    scores = [{(one.factors["optim.lr"], one.fold): one.score for one in study.members} for study in studies]
    assert scores[0].keys() == scores[1].keys()
    for member, score in scores[0].items():
        assert scores[1][member] == pytest.approx(score, rel=1e-4)


def test_baselines_need_memory(table: Path, tmp_path: Path) -> None:
    data = danlu.load(table, target="kind", stream=True)
    with pytest.raises(UserError, match="scikit-learn"):
        danlu.compare(
            "mlp",
            data,
            vary={"optim.lr": [0.1, 0.2]},
            seeds=1,
            folds=2,
            epochs=1,
            baselines=["linear"],
            folder=tmp_path / "s",
        )
