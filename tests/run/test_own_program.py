"""A run of a user's own net answers without its code: by the program beside its weights, or it says why it has none."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest
from torch import nn

import danlu
from danlu.base.places import PROGRAM_VARIABLE
from danlu.base.words import speaking
from danlu.store.package_file import PackageFile, RunAnswers, read_package_file
from hostile_programs import IN_PROGRAM, RAN, repacked
from own_nets import GROUNDS, NO_PROGRAM, Ground, Plain, Remembering, single
from task_matrix import TASKS, ground_of

FEW: dict[str, Any] = {"epochs": 1, "batch_size": 11, "progress": False}
SOURCE = """
from torch import nn


def net(inputs: int, classes: int):
    return nn.Sequential(nn.Linear(inputs, 4), nn.ReLU(), nn.Linear(4, classes))
"""


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROGRAM_VARIABLE, "1")


def trained(ground: Ground, folder: Path, **more: Any) -> danlu.Run:
    return danlu.fit(ground.net, ground.data, folder=folder, **{**FEW, **ground.settings, **more})


def elsewhere(run: danlu.Run, place: Path) -> danlu.Run:
    """The run in another folder, opened by nothing else."""
    return danlu.Run(shutil.copytree(run.folder, place))


def package_of(run: danlu.Run) -> tuple[PackageFile, RunAnswers]:
    package = read_package_file(run.folder / "package.json")
    assert package is not None and package.answers is not None
    return package, package.answers


@pytest.mark.every(4)
@pytest.mark.parametrize("kind", GROUNDS)
def test_a_copy_answers_without_the_code(kind: str, tmp_path: Path) -> None:
    ground = GROUNDS[kind]()
    run = trained(ground, tmp_path / "run")
    assert package_of(run)[1].no_program is None
    copy = elsewhere(run, tmp_path / "copy")
    ours, theirs = ([*map(str, one.predict(ground.raw))] for one in (run, copy))
    assert theirs == ours
    if run.preprocessing.classes:
        chances = [one.predict_proba(ground.raw) for one in (run, copy)]
        assert numpy.abs(chances[0] - chances[1]).max() <= 1e-6
    data = danlu.load(ground.data, **_of_data(ground))
    assert copy.evaluate(data) == pytest.approx(run.evaluate(data), abs=1e-6)


def _of_data(ground: Ground) -> dict[str, Any]:
    return {key: value for key, value in ground.settings.items() if key in ("target", "window")}


def test_a_language_model_goes_on_as_it_did(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("the time traveller, for so it will be convenient to speak of him. " * 8)
    ground = Ground(Remembering(23), tmp_path / "book.txt", {"steps": 8, "batch_size": 4}, None)
    run = trained(ground, tmp_path / "run")
    copy = elsewhere(run, tmp_path / "copy")
    for text, temperature in (("t", 1.0), ("the time", 0.0)):
        ours, theirs = (one.generate(text, tokens=30, temperature=temperature) for one in (run, copy))
        assert theirs == ours


@pytest.mark.every(2)
@pytest.mark.parametrize("net", NO_PROGRAM)
def test_what_cannot_be_a_program_is_told_why(net: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, english, chinese = NO_PROGRAM[net]
    run = trained(single()._replace(net=make()), tmp_path / "run")
    assert english in capsys.readouterr().err
    reason = package_of(run)[1].no_program
    assert reason is not None and english in str(reason)
    assert not (run.folder / "net.pt2").exists()
    copy = elsewhere(run, tmp_path / "copy")
    assert copy.score == run.score
    with pytest.raises(danlu.UserError, match="without the code") as caught:
        copy.predict(single().raw)
    assert english in str(caught.value)
    with speaking("zh"):
        assert chinese in str(caught.value) and chinese in str(reason)


def test_a_net_that_writes_says_so(tmp_path: Path) -> None:
    class Own(danlu.nets.RecurrentEncoderDecoder):
        pass

    ground = ground_of(TASKS["translation"], tmp_path)
    data = danlu.load(ground.data)
    assert data.vocabulary is not None
    net = Own(vocabulary=len(data.vocabulary), outputs=data.outputs, hidden=8, embedding=8)
    run = trained(Ground(net, data, {"batch_size": 32}, None), tmp_path / "run")
    reason = package_of(run)[1].no_program
    assert reason is not None and reason.id == "export.program-writes"


def test_a_row_of_torchs_own_layers_is_kept_as_these(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    run = trained(single()._replace(net=net), tmp_path / "run")
    assert sorted(path.name for path in run.folder.glob("net.*")) == ["net.safetensors"]
    copy = elsewhere(run, tmp_path / "copy")
    assert copy.predict(single().raw).tolist() == run.predict(single().raw).tolist()
    (copy.folder / "net.safetensors").write_bytes(b"")
    with pytest.raises(danlu.UserError, match="net.safetensors"):
        danlu.Run(copy.folder).predict(single().raw)


def test_nets_of_danlus_have_none(tmp_path: Path) -> None:
    run = danlu.fit("softmax-regression", single().data, folder=tmp_path / "run", **FEW)
    given = danlu.fit(danlu.nets.MLP(inputs=5, outputs=3), single().data, folder=tmp_path / "given", **FEW)
    for one in (run, given):
        assert package_of(one)[1].program is None and not (one.folder / "net.pt2").exists()


def test_a_net_of_a_file_answers_when_the_file_is_gone_or_is_not_to_be_run(tmp_path: Path) -> None:
    file = tmp_path / "my_nets.py"
    file.write_text(SOURCE, encoding="utf-8")
    run = danlu.fit(f"{file}:net", single().data, folder=tmp_path / "run", **FEW)
    wanted = run.predict(single().raw).tolist()
    for spoil in (lambda: file.write_text("raise SystemExit", encoding="utf-8"), file.unlink):
        spoil()
        assert danlu.Run(run.folder).predict(single().raw).tolist() == wanted
    with pytest.raises(danlu.UserError, match="needs the file of its net"):
        danlu.Run(run.folder).net()


def test_an_older_run_gets_its_program_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv(PROGRAM_VARIABLE, "off")
        run = trained(single(), tmp_path / "run")
    assert not (run.folder / "net.pt2").exists()
    with pytest.raises(danlu.UserError, match="danlu.package"):
        danlu.Run(run.folder).predict(single().raw)
    danlu.package(run.folder, net=Plain())
    copy = elsewhere(run, tmp_path / "copy")
    assert copy.predict(single().raw).tolist() == run.predict(single().raw).tolist()
    held = (run.folder / "package.json").read_bytes()
    danlu.package(run.folder, net=Plain())
    assert (run.folder / "package.json").read_bytes() == held


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> danlu.Run:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PROGRAM_VARIABLE, "1")
        return trained(single(), tmp_path_factory.mktemp("made") / "run")


@pytest.mark.every(4)
@pytest.mark.parametrize("fault", IN_PROGRAM)
def test_a_hostile_program_is_refused(
    fault: str, made: danlu.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, words = IN_PROGRAM[fault]
    monkeypatch.chdir(tmp_path)
    copy = elsewhere(made, tmp_path / "copy")
    exchanged(copy, change)
    with pytest.raises(danlu.UserError, match=words) as caught:
        copy.predict(single().raw)
    assert "\x1b" not in str(caught.value)
    assert not RAN and not (tmp_path / "ran").exists()


def exchanged(run: danlu.Run, change: Callable[[dict[str, bytes]], Any]) -> None:
    """Another program in the run's folder, and its SHA-256 in a package that is whole."""
    content = repacked(run.folder / "net.pt2", change)
    (run.folder / "net.pt2").write_bytes(content)
    package, answers = package_of(run)
    assert answers.program is not None
    program = replace(answers.program, sha256=hashlib.sha256(content).hexdigest())
    replace(package, answers=replace(answers, program=program)).write(run.folder / "package.json")


def test_a_program_that_was_exchanged_or_is_gone_is_refused(made: danlu.Run, tmp_path: Path) -> None:
    copy = elsewhere(made, tmp_path / "copy")
    held = (copy.folder / "net.pt2").read_bytes()
    (copy.folder / "net.pt2").write_bytes(held[:200] + bytes([held[200] ^ 1]) + held[201:])
    with pytest.raises(danlu.UserError, match="net.pt2"):
        danlu.Run(copy.folder).predict(single().raw)
    (copy.folder / "net.pt2").unlink()
    with pytest.raises(danlu.UserError, match="net.pt2"):
        danlu.Run(copy.folder).predict(single().raw)
    assert danlu.Run(copy.folder, net=Plain()).predict(single().raw).tolist() == made.predict(single().raw).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("kind", GROUNDS)
@pytest.mark.parametrize("form", ["model.onnx", "model.pt2"])
def test_a_copy_is_exported_without_the_code(kind: str, form: str, tmp_path: Path) -> None:
    ground = GROUNDS[kind]()
    copy = elsewhere(trained(ground, tmp_path / "run"), tmp_path / "copy")
    proof = danlu.Run(copy.folder).export(tmp_path / form)
    assert proof.of in ("test", "golden") and proof.samples > 0
