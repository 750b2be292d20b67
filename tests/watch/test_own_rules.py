"""Rules of a user's own, asked beside danlu's."""

from typing import Any

import pytest
import torch
from torch import nn

import danlu


def judge(measured: danlu.Measured, thresholds: Any) -> danlu.Verdict | None:
    if measured.step < thresholds["min_steps"]:
        return None
    numbers = {"step": measured.step}
    return danlu.Verdict("advice", 1, numbers, title="Past the coffee.", why="It is late.", remedies=("Go home.",))


LATE = danlu.Rule("late", judge, thresholds={"min_steps": danlu.Threshold(10, "steps")})
MUTE = danlu.Rule("mute", lambda measured, thresholds: danlu.Verdict("warning", 1))
BROKEN = danlu.Rule("broken", lambda measured, thresholds: 1 / 0)  # pyright: ignore[reportArgumentType]


def watched(steps: int = 20, **settings: Any) -> danlu.Watch:
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    x, y = torch.randn(32, 4), torch.arange(32) % 3
    with danlu.watch(net, sgd, shown=False, **settings) as watch:
        for _ in range(steps):
            sgd.zero_grad()
            nn.functional.cross_entropy(net(x), y).backward()
            sgd.step()
    return watch


def test_an_own_rule_is_told_in_its_own_words() -> None:
    found = {finding.rule: finding for finding in watched(rules=[LATE]).findings}
    assert (found["late"].title, found["late"].why) == ("Past the coffee.", "It is late.")
    assert found["late"].remedies == ({"advice": "Go home."},)
    assert found["late"].evidence["step"] == 20


def test_its_thresholds_can_be_set_and_it_can_be_silenced() -> None:
    assert "late" not in {
        finding.rule for finding in watched(rules=[LATE], thresholds={"late": {"min_steps": 50}}).findings
    }
    assert "late" not in {finding.rule for finding in watched(rules=[LATE], silence=["late"]).findings}


def test_a_rule_without_words_is_told_by_its_id() -> None:
    assert "mute" in {finding.title for finding in watched(rules=[MUTE]).findings}


def test_a_broken_rule_ends_nothing_and_the_others_are_asked() -> None:
    assert "late" in {finding.rule for finding in watched(rules=[BROKEN, LATE]).findings}


@pytest.mark.parametrize(
    ("rules", "english", "chinese"),
    [
        ([judge], "must be a danlu.Rule", "必须是 danlu.Rule"),
        ([danlu.Rule("plateau", judge)], "a rule plateau already", "已有名为 plateau"),
        ([LATE, LATE], "a rule late already", "已有名为 late"),
    ],
)
def test_what_is_no_rule_is_refused(rules: list[Any], english: str, chinese: str, language: str) -> None:
    with pytest.raises(danlu.UserError, match=english if language == "en" else chinese):
        watched(rules=rules)
