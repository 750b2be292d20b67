"""Every task with everything that danlu does: it works, or it is refused with the reason that the page names."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

import danlu
import tasks_page
from danlu.ship.trial import RunOnTrial
from interruption import assert_same_end, interrupt_at
from task_matrix import TASKS, VERBS, Ground, a_few, ground_of, net_of, trained


def fit(ground: Ground, place: Path) -> None:
    run = trained(ground, place / "run")
    assert run.finished
    assert run.score["test"]


def resume(ground: Ground, place: Path) -> None:
    whole = trained(ground, place / "whole")
    with pytest.MonkeyPatch.context() as patch:
        interrupt_at(patch, max(1, whole.steps // 2 + 1))
        with pytest.raises(danlu.Interrupted, match="broken"):
            trained(ground, place / "broken")
    objects = {} if isinstance(ground.net, str) else {"net": net_of(ground)}
    data = {} if whole.recipe.data.name != "custom" else {"data": ground.data}
    assert_same_end(whole, danlu.resume(place / "broken", progress=False, **objects, **data))


def watch(ground: Ground, place: Path) -> None:
    run = trained(ground, place / "run", epochs=4)
    assert not [finding for finding in run.findings if finding.severity == "error"]


def check(ground: Ground, place: Path) -> None:
    with mock.patch("danlu.lab.check.rates.lr_find", partial(danlu.lr_find, points=8, steps=8)):
        found = danlu.check(net_of(ground), ground.data, **ground.settings)
    assert len(found.lines) == 7


def compare(ground: Ground, place: Path) -> None:
    settings = {"epochs": 1, "progress": False} | ground.settings
    study = danlu.compare(
        ground.net, ground.data, vary={"lr": [1e-3, 1e-2]}, seeds=2, folder=place / "study", **settings
    )
    assert len(study.members) == 4, study.failed


def predict(ground: Ground, place: Path) -> None:
    run = trained(ground, place / "run")
    assert 1 <= len(run.predict(ground.raw)) <= a_few(ground.raw)


def evaluate(ground: Ground, place: Path) -> None:
    run = trained(ground, place / "run")
    test = {name: value for name, value in run.score["test"].items() if name != "loss"}
    assert run.evaluate(run.data) == pytest.approx(test, rel=1e-4, abs=1e-5)


def export(ground: Ground, place: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    trained(ground, place / "run").export(place / "net.onnx")
    assert (place / "net.onnx").is_file()


def report(ground: Ground, place: Path) -> None:
    assert (trained(ground, place / "run").folder / "report.html").stat().st_size > 10_000


def try_out(ground: Ground, place: Path) -> None:
    run = trained(ground, place / "run")
    assert RunOnTrial(run.answerer, run.error_band).kind


DOES: dict[str, Callable[[Ground, Path], None]] = dict(
    zip(VERBS, (fit, resume, watch, check, compare, predict, evaluate, export, report, try_out), strict=True)
)


@pytest.mark.every(32)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", TASKS)
def test_a_cell_works_or_says_why_not(name: str, verb: str, tmp_path: Path) -> None:
    task = TASKS[name]
    ground = ground_of(task, tmp_path)
    if verb not in task.refused:
        DOES[verb](ground, tmp_path)
        return
    with pytest.raises(danlu.UserError, match=".") as told:
        DOES[verb](ground, tmp_path)
    assert [fault.id for fault in told.value.faults] == [task.refused[verb]]


@pytest.mark.parametrize("tongue", tasks_page.PAGES)
def test_the_page_is_current(tongue: str) -> None:
    assert tasks_page.PAGES[tongue].read_text(encoding="utf-8") == tasks_page.page(tongue), "make docs"
