"""The cause stands before its symptoms."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import danlu
from danlu.base.records import Finding
from danlu.watch.ranking import ranked
from danlu.watch.rulebook import rulebook
from loops import batches, loud, net

RULES = {rule.id: rule for rule in rulebook()}


def finding(rule: str, severity: str = "warning", since: int = 1) -> Finding:
    return Finding(rule, severity, (), since, {}, "", "")


def order(*findings: Finding) -> list[str]:
    return [one.rule for one in ranked(findings, RULES)]


def test_every_symptom_is_a_rule() -> None:
    assert {symptom for rule in RULES.values() for symptom in rule.symptoms} <= RULES.keys()


def test_the_rate_stands_before_what_it_does() -> None:
    told = ranked([finding("nonfinite", "error", 3), finding("dead-relu"), finding("lr-too-high", "warning", 3)], RULES)
    assert told[0].rule == "lr-too-high"
    assert told[0].evidence["symptoms"] == ["dead-relu", "nonfinite"]
    assert {one.evidence.get("cause") for one in told[1:]} == {"lr-too-high"}


def test_an_outcome_stands_last() -> None:
    assert (
        order(finding("plateau", "advice"), finding("underfitting"), finding("unshuffled", "advice"))[0] == "unshuffled"
    )


def test_of_two_that_may_cause_each_other_the_earlier_one_is_the_cause() -> None:
    exploding, rate = (finding(rule, "error", since) for rule, since in (("exploding-gradient", 1), ("lr-too-high", 9)))
    assert order(rate, exploding) == ["exploding-gradient", "lr-too-high"]
    late = finding("exploding-gradient", "error", 20)
    assert order(late, rate) == ["lr-too-high", "exploding-gradient"]


@pytest.mark.parametrize("rate", [20.0, 500.0])
def test_a_rate_far_too_high_is_named_before_the_explosion_that_it_makes(rate: float) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    with danlu.watch(model, optimizer, shown=False) as watch:
        for x, y in batches(60):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    assert loud(watch)[0] == "lr-too-high"


@pytest.mark.slow
@pytest.mark.every(2)
@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam])
def test_ten_sigmoid_layers_are_said_to_let_the_gradient_vanish(kind: type[torch.optim.Optimizer]) -> None:
    torch.manual_seed(0)
    layers = [layer for _ in range(9) for layer in (nn.Linear(32, 32), nn.Sigmoid())]
    model = nn.Sequential(nn.Linear(8, 32), nn.Sigmoid(), *layers, nn.Linear(32, 3))
    optimizer = kind(model.parameters(), lr=1e-2)  # type: ignore[call-arg]
    with danlu.watch(model, optimizer, shown=False) as watch:
        for x, y in batches(200):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    assert loud(watch)[0] == "vanishing-gradient"
    assert watch.findings[0].where[0] == "0"
