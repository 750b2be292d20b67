"""Thresholds that a user sets: by today's names, by those of danlu 0.1, and what is said of any other."""

import math
from collections.abc import Mapping

import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.base.words import use_language
from danlu.watch import thresholds as settings
from danlu.watch.rulebook import rulebook
from danlu.watch.thresholds import check_rules, current_thresholds

RENAMED = [
    (rule.id, one.before, name)
    for rule in rulebook()
    for name, one in rule.thresholds.items()
    if one.before not in ("", name)
]


@pytest.fixture(autouse=True)
def told_anew() -> None:
    settings._tell_renamed.cache_clear()


def test_every_threshold_of_the_version_before_has_a_name_of_today() -> None:
    assert len(RENAMED) > 90
    for rule in rulebook():
        before = [one.before for one in rule.thresholds.values() if one.before]
        assert len(set(before)) == len(before)
        assert not set(before) & rule.thresholds.keys()


@pytest.mark.parametrize(("rule", "before", "name"), RENAMED)
def test_an_old_name_sets_the_same_number_and_is_told_once(
    rule: str, before: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    use_language("en")
    check_rules((), {rule: {before: 0.5}})
    for _ in range(2):
        assert current_thresholds({rule: {before: 0.5}}) == {rule: {name: 0.5}}
    assert capsys.readouterr().err == (
        f"watch.{rule}.{before} is called {name} now; the old name works in this version only.\n"
    )


def test_a_name_of_today_is_told_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert current_thresholds({"dead-relu": {"min_dead_share": 0.6}}) == {"dead-relu": {"min_dead_share": 0.6}}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"dead-rely": {}}, 'no rule dead-rely. Did you mean "dead-relu"'),
        ({"dead-relu": {"min_dead_shar": 0.5}}, 'no threshold min_dead_shar.*Did you mean "min_dead_share"'),
        ({"nonfinite": {"share": 0.5}}, "no threshold share; it has: –"),
        ({"dead-relu": {"min_dead_share": "half"}}, "min_dead_share is 'half', which is not a finite number"),
        ({"dead-relu": {"min_dead_share": True}}, "min_dead_share is True, which is not a finite number"),
        ({"dead-relu": {"share": math.nan}}, "share is nan, which is not a finite number"),
        ({"dead-relu": {"share": 0.5, "min_dead_share": 0.6}}, "share is the old name of min_dead_share; give one"),
    ],
)
def test_what_does_not_fit_is_refused(given: Mapping[str, Mapping[str, float]], words: str) -> None:
    use_language("en")
    with pytest.raises(UserError, match=words):
        danlu.watch(nn.Linear(2, 2), thresholds=given)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(UserError, match="no-such") as caught:
        check_rules(["no-such"], {"dead-relu": {"nothing": 1.0, "share": math.inf}})
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("name", ["min_dropout_rate", "rate"])
def test_a_threshold_decides_what_is_found(name: str) -> None:
    torch.manual_seed(0)
    found: dict[float, list[str]] = {}
    for value in (0.5, 0.9):
        net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.6), nn.Linear(16, 3))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        with danlu.watch(net, optimizer, shown=False, thresholds={"dropout-too-high": {name: value}}) as watch:
            for _ in range(8):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(torch.eye(8)), torch.arange(8) % 3).backward()
                optimizer.step()
        found[value] = [finding.rule for finding in watch.findings]
    assert "dropout-too-high" in found[0.5]
    assert "dropout-too-high" not in found[0.9]
