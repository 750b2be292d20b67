"""A run begins with weights that can be brought back, or it is no run."""

import contextlib
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

import danlu
from danlu.base import files
from danlu.store import journal, new_run
from interruption import assert_same_end, interrupt_at


class Killed(BaseException):
    """Stands for SIGKILL: nothing tidies up after it."""


def kill_at(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    """Let the file operation number `moment` from now be the last."""
    left = moment

    def counted(operation: Callable[..., None]) -> Callable[..., None]:
        def replacement(*arguments: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            operation(*arguments)

        return replacement

    for module in (files, new_run, journal):
        for name in ("write_file", "sync_folder", "rename"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, counted(getattr(module, name)))
    monkeypatch.setattr(new_run.NewRun, "close", lambda self: os.close(self.journal._descriptor))


def two_layers(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 10))


def mlp(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return danlu.nets.MLP(inputs=64, outputs=10, hidden=[8])


@pytest.mark.every(4)
@pytest.mark.parametrize("kind", ["object", pytest.param("object-of-ours", marks=pytest.mark.slow), "file"])
def test_killed_at_any_moment_it_goes_on_from_its_own_first_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    file = tmp_path / "weights.safetensors"
    make = {"object": two_layers, "object-of-ours": mlp, "file": lambda seed: "softmax-regression"}[kind]
    settings = {"epochs": 1, "batch_size": 500, "progress": False}
    if kind == "file":
        settings["net.weights"] = str(file)

    def begun(folder: Path) -> danlu.Run:
        safetensors.torch.save_file({"linear.weight": torch.ones(10, 64), "linear.bias": torch.ones(10)}, file)
        return danlu.fit(make(1), "digits", folder=folder, **settings)

    whole = begun(tmp_path / "whole")
    resumed = 0
    for moment in itertools.count(1):
        folder = tmp_path / str(moment)
        with monkeypatch.context() as patch:
            kill_at(patch, moment)
            with contextlib.suppress(Killed):
                begun(folder)
                break
        if (folder / "recipe.toml").exists():
            file.unlink(missing_ok=True)  # it is not needed again
            run = danlu.resume(folder, net=make(2) if kind == "object" else None, progress=False)
            resumed += 1
        else:
            with pytest.raises(danlu.UserError, match="not a run folder|no such run"):
                danlu.resume(folder, progress=False)
            run = begun(folder)
        assert_same_end(whole, run)
    assert moment > 15
    assert resumed > 3


def test_without_any_checkpoint_first_weights_that_no_recipe_holds_are_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    interrupt_at(monkeypatch, 2)
    with pytest.raises(danlu.Interrupted, match="run"):
        danlu.fit(two_layers(1), "digits", folder=tmp_path / "run", progress=False)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    words = "no whole checkpoint is left.*cannot go on" if language == "en" else "已经没有完好的检查点.*不能继续"
    with pytest.raises(danlu.UserError, match=words):
        danlu.resume(tmp_path / "run", net=two_layers(2), progress=False)


@pytest.mark.every(2)
@pytest.mark.parametrize("net", [None, "given"])
def test_a_run_without_checkpoint_starts_from_its_beginning_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], net: str | None
) -> None:
    settings = {"epochs": 2, "progress": False}
    whole = danlu.fit("softmax-regression", "digits", folder=tmp_path / "whole", **settings)
    interrupt_at(monkeypatch, 2)
    with pytest.raises(danlu.Interrupted, match="run"):
        danlu.fit("softmax-regression", "digits", folder=tmp_path / "run", **settings)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    given = danlu.nets.SoftmaxRegression(inputs=64, classes=10) if net else None
    run = danlu.resume(tmp_path / "run", net=given, progress=True)
    assert "starts from its beginning" in capsys.readouterr().err
    assert_same_end(whole, run)
