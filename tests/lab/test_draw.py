"""danlu.draw: whatever has a picture, and one sentence for what has none."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import danlu
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.view.info.run import run_info_of
from danlu.view.info.study import study_info_of
from view_samples import bowl


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> danlu.Run:
    folder = tmp_path_factory.mktemp("drawn") / "run"
    return danlu.fit("lenet5", "digits", epochs=2, batch_size=100, folder=folder, progress=False)


def svg(drawing: Any) -> str:
    return drawing.file_content(".svg").decode()


def test_a_net_of_ones_own_needs_a_shape_in_one_way_or_another(language: str) -> None:
    net = nn.Sequential(nn.Linear(64, 3), nn.ReLU())
    for data in ((64,), [64], torch.ones(2, 64), danlu.load((torch.ones(20, 64).numpy(), [0, 1] * 10))):
        assert "Linear" in svg(danlu.draw(net, data))
    with pytest.raises(danlu.UserError, match=r"\(3, 32, 32\)"):
        danlu.draw(net)
    with pytest.raises(danlu.UserError, match="64"):
        danlu.draw(net, (63,))


def test_a_net_of_danlus_does_without() -> None:
    assert "3×28×28" in svg(danlu.draw(danlu.nets.LeNet5(channels=3)))
    assert "1×8×8" in svg(danlu.draw("lenet5", "digits"))
    assert "1×28×28" in svg(danlu.draw("lenet5"))


def test_a_loss_with_the_names_of_its_leaves(tmp_path: Path) -> None:
    net = nn.Linear(2, 1)
    loss = net(torch.ones(3, 2)).square().mean()
    danlu.draw(loss, names=dict(net.named_parameters()), file=tmp_path / "loss.svg")
    assert "weight" in (tmp_path / "loss.svg").read_text(encoding="utf-8")
    with pytest.raises(danlu.UserError, match="mean or its sum"):
        danlu.draw(net(torch.ones(3, 2)))


def test_the_numbers_of_a_runs_pictures_are_its_journals(run: danlu.Run) -> None:
    info = run_info_of(RunFolder(run.folder))
    assert info.score["test"] == run.score["test"]
    (told,) = info.history.predictions
    counts = torch.tensor(told.confusion)
    assert int(counts.sum()) == told.samples == 359
    assert float(counts.diag().sum() / counts.sum()) == pytest.approx(run.score["test"]["accuracy"], abs=1e-6)
    assert told.calibration is not None
    assert sum(told.calibration.samples) == 359
    assert sum(told.calibration.right) == int(counts.diag().sum())
    assert all(one.actual != one.predicted for one in told.worst[:1])
    assert info.history.net is not None
    assert info.history.net.input_shape == (1, 8, 8)


@pytest.mark.every(6)
@pytest.mark.parametrize("kind", [None, "curves", "flow", "net", "confusion", "calibration", "worst"])
def test_each_kind_of_a_run(kind: str | None, run: danlu.Run) -> None:
    assert "<svg" in svg(danlu.draw(run, kind=kind))
    assert "<svg" in svg(danlu.draw(str(run.folder), kind=kind))


def test_a_kind_that_is_not_there_is_told_at_once(run: danlu.Run) -> None:
    with pytest.raises(danlu.UserError, match="no picture of the kind surface here; there are curves"):
        danlu.draw(run, kind="surface")
    with pytest.raises(danlu.UserError, match='confusoin.*Did you mean "confusion"'):
        danlu.draw(run, kind="confusoin")


def test_a_surface_in_space_and_from_above() -> None:
    assert svg(danlu.draw(bowl())) != svg(danlu.draw(bowl(), kind="contour"))


def test_runs_over_each_other(run: danlu.Run) -> None:
    drawn = svg(danlu.draw([run, run.folder]))
    assert ">run<" in drawn
    assert ">run (2)<" in drawn, "of the same name, and yet two curves"
    with pytest.raises(danlu.UserError, match="lenet5"):
        danlu.draw([run, "lenet5"])
    with pytest.raises(danlu.UserError, match=r"\[\]"):
        danlu.draw([])


@pytest.mark.parametrize("thing", [3, None, {"a": 1}, object()])
def test_what_has_no_picture_is_told(thing: object) -> None:
    with pytest.raises(danlu.UserError, match=f"no picture of a {type(thing).__name__}"):
        danlu.draw(thing)


def test_runs_and_their_findings_show_themselves(run: danlu.Run, language: str) -> None:
    shown: Any = run
    assert run.folder.name in shown._repr_html_()
    assert ("训练" in shown._repr_html_()) == (language == "zh")
    found: Any = run.findings
    assert "<p>" in found._repr_html_() or "<pre" in found._repr_html_()


def test_a_report_is_written_for_a_run_and_a_study(run: danlu.Run, tmp_path: Path) -> None:
    report = (run.folder / "report.html").read_text(encoding="utf-8")
    assert "default-src &#x27;none&#x27;" in report
    assert "confusion matrix" in report
    study = danlu.compare(
        "softmax-regression", "digits", vary={"optim.lr": [0.01, 0.1]}, seeds=2, folds=1,
        folder=tmp_path / "study", progress=False, epochs=1,
    )  # fmt: skip
    told = (study.folder / "report.html").read_text(encoding="utf-8")
    assert "optim.lr" in told
    info = study_info_of(StudyFolder(study.folder))
    assert info.effects == [effect.as_dict() for effect in study.effects]
    assert (info.state, len(info.members)) == ("finished", 4)
    shown: Any = study
    assert "optim.lr" in shown._repr_html_()
    assert "<svg" in svg(danlu.draw(study))
    assert "<svg" in svg(danlu.draw(study.folder, kind="slopes"))
