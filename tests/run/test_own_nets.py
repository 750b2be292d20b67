"""Nets in a file of the user's own, trained: the run holds to the file, and no run's folder has its code run."""

import os
import shutil
from pathlib import Path

import pytest
import torch

import danlu
from danlu.base.words import speaking
from interruption import assert_same_end, interrupt_at

SOURCE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, inputs: int, classes: int, hidden: int = 8):
        super().__init__()
        self.first, self.drop, self.last = nn.Linear(inputs, hidden), nn.Dropout(0.1), nn.Linear(hidden, classes)

    def forward(self, x):
        return self.last(self.drop(self.first(x.flatten(1))).relu())


class Other(Net):
    pass


class Late(Net):
    steps = 0

    def forward(self, x):
        self.steps += self.training
        if self.steps > 5:
            raise ValueError("too late")
        return super().forward(x)
"""
FEW = {"epochs": 2, "batch_size": 16, "progress": False}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_nets.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def trained(file: Path, name: str = "Net", folder: str = "run", **settings: object) -> danlu.Run:
    return danlu.fit(f"{file}:{name}", "digits", samples=200, folder=file.parent / folder, **{**FEW, **settings})


def test_it_trains_and_answers_and_says_where_it_came_from(file: Path) -> None:
    run = trained(file, hidden=6)
    assert (run.recipe.net.label, run.recipe.net.options) == ("my_nets.py:Net", {"hidden": 6})
    assert len(run.recipe.net.sha256 or "") == 64
    assert (run.folder / "net.py").read_bytes() == file.read_bytes()
    x = torch.zeros(3, 8, 8)
    assert danlu.Run(run.folder).predict(x).tolist() == run.predict(x).tolist()
    assert (
        danlu.Run(run.folder).evaluate(danlu.load("digits", samples=200))["accuracy"] == run.score["test"]["accuracy"]
    )
    assert danlu.landscape(run, points=3, samples=16).losses is not None


def test_a_recipe_names_it_too_and_says_so_by_words(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    Path("recipe.toml").write_text(
        '[data]\nname = "digits"\nsamples = 200\n[net]\nname = "my_nets.py:Net"\nhidden = 6\n', encoding="utf-8"
    )
    run = danlu.fit(recipe="recipe.toml", folder="run", **FEW)
    same = trained(file, folder="same", hidden=6)
    assert run.score == same.score
    assert run.recipe.fingerprint() == same.recipe.fingerprint()
    other = file.parent / "elsewhere"
    other.mkdir()
    shutil.copy(file, other)
    assert trained(other / "my_nets.py", hidden=6).recipe.fingerprint() == run.recipe.fingerprint()


def test_a_run_cut_short_ends_the_same(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(file, folder="whole")
    with monkeypatch.context() as patch:
        interrupt_at(patch, 8)
        with pytest.raises(danlu.Interrupted, match="cut"):
            trained(file, folder="cut")
    assert_same_end(danlu.resume(file.parent / "cut", progress=False), whole)
    further = danlu.Run(whole.folder).fit(epochs="+1", folder=file.parent / "further", progress=False)
    assert further.recipe.net == whole.recipe.net


def test_a_file_that_changed_or_is_gone_is_told_and_another_place_may_be_named(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, x = trained(file, folder="whole"), torch.zeros(3, 8, 8)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 8)
        with pytest.raises(danlu.Interrupted, match="cut"):
            trained(file, folder="cut")
    moved = file.parent / "moved.py"
    shutil.copy(file, moved)
    file.write_text(SOURCE + "\n", encoding="utf-8")
    for spoil in (lambda: None, file.unlink):
        spoil()
        run = danlu.Run(whole.folder)
        assert run.score == whole.score
        assert str(run)
        for asked in (lambda run=run: run.predict(x), lambda: danlu.resume(file.parent / "cut", progress=False)):
            with pytest.raises(danlu.UserError, match="needs the file of its net") as caught:
                asked()
            assert "net.py:Net" in str(caught.value)
            with speaking("zh"):
                assert "需要它的网络所在的文件" in str(caught.value)
    for place in (f"{moved}:Net", str(moved), f"{whole.folder / 'net.py'}:Net"):
        assert danlu.Run(whole.folder, net=place).predict(x).tolist() == whole.predict(x).tolist()
    assert_same_end(danlu.resume(file.parent / "cut", net=f"{moved}:Net", progress=False), whole)
    moved.write_text(SOURCE + "# other", encoding="utf-8")
    refused = {f"{moved}:Net": "has changed since", f"{moved}:Other": "is Net, not Other", "mlp": "of the type str"}
    for place, said in refused.items():
        with pytest.raises(danlu.UserError, match=said):
            danlu.Run(whole.folder, net=place).predict(x)
    plain = danlu.fit("softmax-regression", "digits", samples=200, folder=file.parent / "plain", **FEW)
    with pytest.raises(danlu.UserError, match="is in no file of your own"):
        danlu.Run(plain.folder, net=f"{moved}:Net").predict(x)


def test_no_run_has_the_code_in_its_own_folder_run(file: Path) -> None:
    run = trained(file)
    mark = file.parent / "mark"
    evil = f"open({str(mark)!r}, 'w')\n" + SOURCE
    (run.folder / "net.py").write_text(evil, encoding="utf-8")
    text = (run.folder / "recipe.toml").read_text(encoding="utf-8")
    inside = text.replace(str(file), str(run.folder / "net.py"))
    sha256 = run.recipe.net.sha256 or ""
    without = "\n".join(line for line in text.splitlines() if sha256 not in line)
    for recipe in (inside, without):
        (run.folder / "recipe.toml").write_text(recipe, encoding="utf-8")
        for asked in (danlu.Run(run.folder).predict, danlu.Run(run.folder).export):
            with pytest.raises(danlu.UserError, match="does not run by itself") as caught:
                asked(torch.zeros(3, 8, 8)) if asked.__name__ == "predict" else asked(file.parent / "net.onnx")
            with speaking("zh"):
                assert "不会自行运行" in str(caught.value)
    assert not mark.exists()


def test_a_recipe_of_a_run_is_held_to_its_hash_and_a_name_given_anew_is_meant_as_it_is(file: Path) -> None:
    run = trained(file)
    file.write_text(SOURCE + "\n", encoding="utf-8")
    with pytest.raises(danlu.UserError, match="has changed since"):
        danlu.fit(recipe=run.folder / "recipe.toml", folder=file.parent / "again", progress=False)
    again = danlu.fit(f"{file}:Net", recipe=run.folder / "recipe.toml", folder=file.parent / "again", progress=False)
    assert again.recipe.net.sha256 != run.recipe.net.sha256
    with pytest.raises(danlu.UserError, match="needs the file of its net"):
        danlu.Run(run.folder).fit(epochs="+1", folder=file.parent / "further", progress=False)


def test_studies_compare_it_as_any_net(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"seeds": 3, "epochs": 1, "progress": False}
    study = danlu.compare(f"{file}:Net", "iris", vary={"hidden": [2, 9]}, folder=file.parent / "widths", **few)
    assert "net.hidden=9" in str(study)
    monkeypatch.chdir(file.parent)
    study = danlu.compare(data="iris", vary={"net": ["mlp", "my_nets.py:Net"]}, folder="nets", **few)
    assert "net.name=my_nets.py:Net" in str(study)
    assert study.best is None or study.best.run
    os.chdir("/")
    more = danlu.resume(study.folder, progress=False)
    assert more.folder == study.folder
    file.write_text(SOURCE + "\n", encoding="utf-8")
    with pytest.raises(danlu.UserError, match="has changed since"):
        danlu.resume(study.folder, progress=False)


def test_checks_rates_and_drawings_take_it(file: Path) -> None:
    assert danlu.check(f"{file}:Net", "iris", batch_size=16).net == "my_nets.py:Net"
    assert danlu.lr_find(f"{file}:Net", "iris", points=8, steps=8, batch_size=16).net == "my_nets.py:Net"
    assert danlu.draw(f"{file}:Net", "iris").file_content(".svg")
    assert danlu.draw(f"{file}:Net", (4,)).file_content(".svg")
    with pytest.raises(danlu.UserError, match="must know what goes into this my_nets.py:Net"):
        danlu.draw(f"{file}:Net")


def test_an_error_in_the_middle_of_a_training_keeps_its_own_kind(file: Path) -> None:
    with pytest.raises(ValueError, match="too late"):
        trained(file, "Late")
