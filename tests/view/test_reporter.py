"""What is shown while a training runs."""

import io
import re
from pathlib import Path

import pytest
import torch
from rich.cells import cell_len
from rich.console import Console

from danlu.base.errors import Fault
from danlu.base.events import EpochDone, StepDone, TrainingStarted
from danlu.base.recipe import NetRecipe, OptimRecipe, Recipe
from danlu.base.records import Finding
from danlu.base.words import use_language
from danlu.view import reporter as reporter_module
from danlu.view.findings import print_findings
from danlu.view.reporter import Reporter, main_score

SIZES = {"train": 1000, "validation": 100, "test": 200}


def shown(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, width: int = 120, on: bool = True) -> str:
    """All that two epochs of four steps bring to the screen; the bar is drawn at every step."""
    monkeypatch.setattr(reporter_module, "_REFRESH_SECONDS", -1.0)
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=width, highlight=False, color_system=None)
    reporter = Reporter(on, console)
    notes = [Fault("recipe.place-command-line")]
    with reporter:
        recipe = Recipe(net=NetRecipe(name="lenet5"), optim=OptimRecipe(name="sgd"))
        reporter.opening(Path("runs/x"), recipe, "digits", SIZES, 61_706, notes)
        reporter(TrainingStarted(epoch=0, step=0, epochs=2, steps_per_epoch=4))
        for epoch in (1, 2):
            for step in range(4 * epoch - 3, 4 * epoch + 1):
                reporter(StepDone(epoch, step, torch.tensor(1.0 / step), 0.1, None, 250))
            score = {"loss": 0.5 / epoch, "accuracy": 0.9}
            reporter(EpochDone(epoch, 4 * epoch, {"loss": 0.25}, score, best=True))
    return file.getvalue()


def test_a_terminal_shows_a_bar_with_all_there_is_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(monkeypatch, terminal=True)
    assert "epoch 2/2" in text
    assert "step 3/4" in text
    assert "validation accuracy 0.9000" in text
    assert "samples/s" in text
    assert "left" in text
    # β = 0.1: the loss 1, 1/2, 1/3 is smoothed to 0.9·(0.9·1 + 0.1/2) + 0.1/3.
    assert f"loss {0.9 * (0.9 + 0.05) + 0.1 / 3:.4f}" in text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [60, 80])
def test_the_bar_stays_on_one_line_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, width: int, language: str
) -> None:
    use_language(language)
    text = shown(monkeypatch, terminal=True, width=width)
    frames = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", frame) for frame in text.split("\r")]
    bars = [frame for frame in frames if frame.startswith(("epoch 2/2", "第 2/2 轮"))]
    assert len(bars) >= 4
    assert all(cell_len(frame.rstrip("\n")) <= width for frame in bars)


def test_elsewhere_there_is_one_plain_line_an_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, terminal=False).splitlines()
    assert lines[0].startswith("lenet5 (61,706 parameters) on digits: 1,000 samples to train on")
    assert lines[1].startswith("sgd, learning rate")
    assert "runs/x" in lines[2]
    assert lines[3] == "! command line"
    assert len(lines) == 6
    assert lines[4].startswith("epoch 1/2  loss 0.2500  validation accuracy 0.9000")


def test_chinese_has_the_same_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    use_language("zh")
    lines = shown(monkeypatch, terminal=False).splitlines()
    assert len(lines) == 6
    assert lines[5].startswith("第 2/2 轮  损失 0.2500  验证准确率 0.9000")


def test_nothing_is_shown_where_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, terminal=True, on=False) == ""


def test_the_main_score_of_a_regression_is_r2() -> None:
    assert main_score({"loss": 0.2, "r2": 0.8123, "mae": 1.0}) == "R² 0.8123"
    assert main_score({"loss": 0.2}) == "loss 0.2000"


def test_the_id_behind_a_name_is_grey(capsys: pytest.CaptureFixture[str]) -> None:
    use_language("zh")
    console = Console(force_terminal=True, color_system="standard", width=200, highlight=False)
    print_findings(console, [Finding("vanishing-gradient", "error", ("0",), 20, {}, "标题", "原因")], "runs/a")
    name, grey, rest = capsys.readouterr().out.splitlines()[0].split("\x1b[0m")[:3]
    assert name.endswith("✖ 梯度消失")
    assert grey == "\x1b[90m vanishing-gradient"
    assert "从第 20 步起" in rest
