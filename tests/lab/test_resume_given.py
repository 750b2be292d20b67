"""Resume with what it is given: data moved elsewhere, a net of another structure, a folder with a file missing."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import danlu
from interruption import assert_same_end, interrupt_at


def two_layers(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.Tanh(), nn.Linear(8, 10))


def stopped(monkeypatch: pytest.MonkeyPatch, folder: Path, net: object = "softmax-regression") -> Path:
    with monkeypatch.context() as patch:
        interrupt_at(patch, 5)
        with pytest.raises(danlu.Interrupted, match=folder.name):
            danlu.fit(net, "digits", folder=folder, epochs=2, batch_size=200, progress=False)
    return folder


@pytest.mark.every(3)
@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"hardware": {}}'])
def test_without_its_environment_a_run_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    whole = danlu.fit("softmax-regression", "digits", folder=tmp_path / "w", epochs=2, batch_size=200, progress=False)
    file = stopped(monkeypatch, tmp_path / "broken") / "environment.json"
    file.unlink() if content is None else file.write_text(content)
    run = danlu.resume(tmp_path / "broken", progress=True)
    assert "environment.json is missing or damaged" in capsys.readouterr().err
    assert_same_end(whole, run)


@pytest.mark.every(2)
def test_another_machine_is_told_also_where_nothing_else_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    file = stopped(monkeypatch, tmp_path / "broken") / "environment.json"
    facts = json.loads(file.read_text())
    facts["hardware"]["threads"] = 99
    file.write_text(json.dumps(facts))
    capsys.readouterr()
    assert danlu.resume(tmp_path / "broken", progress=False).finished
    told = capsys.readouterr().err
    assert f"threads: 99 → {torch.get_num_threads()}" in told
    assert ("last bits" if language == "en" else "末几位") in told


@pytest.mark.every(2)
def test_a_net_of_another_structure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    folder = stopped(monkeypatch, tmp_path / "run", two_layers(1))
    wider = nn.Sequential(nn.Flatten(), nn.Linear(64, 9), nn.Tanh(), nn.Linear(9, 10))
    words = "(?s)not built like the one.*8×64" if language == "en" else "(?s)网络结构不同.*8×64"
    with pytest.raises(danlu.UserError, match=words):
        danlu.resume(folder, net=wider, progress=False)
    frozen = two_layers(1)
    frozen[1].weight.requires_grad_(False)
    words = "has 3 tensors that are trained.*has 4" if language == "en" else "有 3 个张量参与训练.*有 4 个"
    with pytest.raises(danlu.UserError, match=words):
        danlu.resume(folder, net=frozen, progress=False)
    assert danlu.resume(folder, net=two_layers(2), progress=False).finished


TABLE = "a,b,y\n" + "".join(f"{row % 7},{row % 5},{row % 2}\n" for row in range(60))


@pytest.mark.every(2)
@pytest.mark.parametrize("kind", [str, Path])
def test_data_that_were_moved_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type, language: str
) -> None:
    table, settings = tmp_path / "t.csv", {"target": "y", "epochs": 3, "progress": False}
    table.write_text(TABLE)
    whole = danlu.fit("softmax-regression", table, folder=tmp_path / "whole", **settings)
    interrupt_at(monkeypatch, 5)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit("softmax-regression", table, folder=tmp_path / "broken", **settings)
    moved = table.rename(tmp_path / "moved.csv")
    words = "t.csv: there is no such file.* danlu resume .*broken --data PATH"
    with pytest.raises(
        danlu.UserError, match=words if language == "en" else "t.csv：找不到.*danlu resume .*--data 路径"
    ):
        danlu.resume(tmp_path / "broken", progress=False)
    monkeypatch.chdir(tmp_path)
    run = danlu.resume(tmp_path / "broken", data=kind(moved.name), progress=False)
    assert_same_end(whole, run)
    monkeypatch.chdir("/")
    assert run.predict({"a": [1], "b": [2]}).shape == (1,), "what the data were is kept"
    again = danlu.resume(tmp_path / "broken", data=kind(moved))
    assert again.predict({"a": [1], "b": [2]}).shape == (1,), "also where the run had ended before"


def test_a_catalogues_data_that_were_moved_can_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_root: Path
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "mnist").symlink_to(data_root / "mnist")
    settings = {"epochs": 1, "batch_size": 6000, "progress": False, "data.root": str(tmp_path / "here")}
    interrupt_at(monkeypatch, 1)
    with pytest.raises(danlu.Interrupted, match="broken"):
        danlu.fit("softmax-regression", "mnist", folder=tmp_path / "broken", **settings)
    (tmp_path / "here").rename(tmp_path / "there")
    with pytest.raises(danlu.UserError, match=r"no such folder to look for data in .*data\.root=FOLDER"):
        danlu.resume(tmp_path / "broken", progress=False)
    assert danlu.resume(tmp_path / "broken", root=tmp_path / "there", progress=False).finished
