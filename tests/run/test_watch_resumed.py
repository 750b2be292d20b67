"""A resumed run is watched as one training: each finding told once, and counted from the first step."""

import json
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.run.interrupt import Interrupted
from interruption import interrupt_at

# 240 steps in all: interrupted early, in the middle of an epoch, and late.
MOMENTS = [(60,), (120, 200), (239,)]


def told(folder: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (folder / "journal.jsonl").read_text(encoding="utf-8").splitlines() if line]
    return [record for record in records if record["kind"] == "finding"]


def causes(run: danlu.Run) -> list[tuple[str, str]]:
    """What was found, but for symptoms of something else: those come and go, and the last steps decide."""
    return [(one.rule, one.severity) for one in run.findings if not one.evidence.get("cause")]


def both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moments: tuple[int, ...], **settings: Any
) -> tuple[danlu.Run, danlu.Run]:
    """The same training in one go, and interrupted at `moments`."""
    settings = {"epochs": 6, "batch_size": 32, "progress": False} | settings
    whole = danlu.fit("mlp", "digits", folder=tmp_path / "whole", **settings)
    interrupt_at(monkeypatch, *moments)
    with pytest.raises(Interrupted, match="parts"):
        danlu.fit("mlp", "digits", folder=tmp_path / "parts", **settings)
    for _ in moments[1:]:
        with pytest.raises(Interrupted, match="parts"):
            danlu.resume(tmp_path / "parts", progress=False)
    return whole, danlu.resume(tmp_path / "parts", progress=False)


@pytest.mark.every(12)
@pytest.mark.parametrize("moments", MOMENTS, ids=str)
@pytest.mark.parametrize(
    "settings",
    [{"lr": 1e-6}, {"lr": 0.05}, {"hidden": [2], "lr": 0.1}, {"loss.reduction": "sum", "lr": 0.05}],
    ids=["too-low", "healthy", "narrow", "sum"],
)
def test_findings_are_those_of_an_undisturbed_run_and_told_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, moments: tuple[int, ...], settings: dict[str, Any]
) -> None:
    whole, parts = both(monkeypatch, tmp_path, moments, **settings)
    assert causes(parts) == causes(whole)
    assert all(1 <= one.since <= 240 for one in parts.findings)
    rules = [(record["rule"], record["severity"]) for record in told(tmp_path / "parts")]
    assert len(rules) == len(set(rules))


@pytest.mark.slow
def test_overfitting_is_counted_from_the_best_epoch_before_the_resume(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = {"hidden": [256], "epochs": 40, "optim.name": "adam", "lr": 0.003, "optim.weight_decay": 0.0}
    whole, parts = both(monkeypatch, tmp_path, (30 * 40,), **settings)
    steps = [[one.evidence["step"] for one in run.findings if one.rule == "overfitting"] for run in (whole, parts)]
    assert steps[0] == steps[1]
