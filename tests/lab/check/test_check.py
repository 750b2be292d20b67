"""check: healthy recipes pass, faulty ones are named before they are trained, and nothing given is changed."""

import copy
import json
import math
from typing import Any

import numpy
import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.base.strict_json import to_json

NAMES = ["shapes", "data", "first-loss", "gradient", "signal", "one-batch", "rate"]


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("net", "data", "settings"),
    [
        ("mlp", "digits", {}),
        ("softmax-regression", "iris", {}),
        ("logistic-regression", "breast-cancer", {}),
        ("linear-regression", "diabetes", {}),
        ("mlp", "diabetes", {"optim.name": "adam", "hidden": [64, 64]}),
        ("mlp", "wine", {"norm": "batch", "dropout": 0.3}),
        *(
            pytest.param(*recipe, marks=pytest.mark.slow)
            for recipe in (
                ("lenet5", "digits", {"lr": 0.05}),
                ("mlp", "digits", {"optim.name": "lbfgs", "epochs": 5}),
                ("autoencoder", "digits", {}),
                ("mixture-density", "diabetes", {}),
            )
        ),
    ],
)
def test_healthy_recipes_pass(net: str, data: str, settings: dict[str, Any]) -> None:
    found = danlu.check(net, data, **settings)
    assert found.passed
    assert [line.check for line in found.lines] == NAMES
    assert [finding for finding in found.findings if finding.severity != "advice"] == []


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("net", "data", "settings", "rule", "line"),
    [
        ("mlp", "digits", {"lr": 20.0, "batch_size": 32}, "lr-too-high", "rate"),
        ("mlp", "digits", {"hidden": [64] * 8, "activation": "sigmoid"}, "vanishing-gradient", "gradient"),
        ("mlp", "wine", {"standardise": False}, "input-scale", "data"),
        ("mlp", "digits", {"hidden": [64, 64], "init": ["constant", 0.05]}, "bad-init", "signal"),
        ("mlp", "digits", {"hidden": [64, 64], "dropout": 0.95}, "dropout-too-high", "signal"),
        ("mlp", "digits", {"reduction": "sum", "lr": 0.2, "batch_size": 64}, "loss-sum", "first-loss"),
        ("mlp", "digits", {"hidden": [64] * 3, "activation": "none"}, "missing-nonlinearity", "signal"),
    ],
)
def test_faults_are_named_before_the_training(
    net: str, data: str, settings: dict[str, Any], rule: str, line: str
) -> None:
    found = danlu.check(net, data, **settings)
    assert rule in {finding.rule for finding in found.findings}
    assert next(one for one in found.lines if one.check == line).status in ("error", "warning")


def test_the_first_loss_is_held_against_knowing_nothing() -> None:
    classes = next(line for line in danlu.check("mlp", "digits").lines if line.check == "first-loss").numbers
    assert classes["expected"] == pytest.approx(math.log(10), rel=1e-5)
    assert classes["loss"] == pytest.approx(math.log(10), rel=0.2)
    squares = next(line for line in danlu.check("mlp", "diabetes").lines if line.check == "first-loss").numbers
    assert squares["expected"] == pytest.approx(1.0, abs=0.3)  # the targets are standardised


@pytest.mark.every(2)
def test_the_rate_is_held_against_a_range_test(language: str) -> None:
    settings: dict[str, Any] = {"optim.name": "adam", "batch_size": 32, "watch.silence": ["lr-too-high", "lr-too-low"]}
    fine = danlu.check("mlp", "digits", lr=0.003, **settings)
    numbers = fine.lines[-1].numbers
    assert 1e-4 < numbers["suggestion"] < 0.3
    assert "rate-range" not in {finding.rule for finding in fine.findings}
    for rate, severity in ((numbers["edge"] * 2, "warning"), (1e-6, "advice")):
        found = danlu.check("mlp", "digits", lr=rate, **settings)
        finding = next(finding for finding in found.findings if finding.rule == "rate-range")
        assert finding.severity == severity
        assert finding.remedies == ({"change": {"optim.lr": pytest.approx(numbers["suggestion"])}},)
        assert {"en": "rate", "zh": "学习率"}[language] in finding.title


class Shouts(nn.Module):
    """Its first answers are a thousand times too large."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 1000 * self.layers(x)


class Deaf(nn.Module):
    """Gives back a constant: no gradient comes to its layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 10)
        self.bias = nn.Parameter(torch.zeros(10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x.flatten(1)).detach() * 0 + self.bias


@pytest.mark.every(2)
def test_a_regression_that_begins_far_off(language: str) -> None:
    found = danlu.check(Shouts(), "diabetes", lr=1e-7)
    finding = next(finding for finding in found.findings if finding.rule == "first-loss")
    assert finding.severity == "warning"
    assert finding.evidence["loss"] > 1000
    assert {"en": "answering 0 always", "zh": "总是回答 0"}[language] in finding.title


@pytest.mark.every(2)
def test_a_net_that_no_gradient_reaches_fails(language: str) -> None:
    found = danlu.check(Deaf(), "digits")
    assert not found.passed
    gradient = next(line for line in found.lines if line.check == "gradient")
    assert (gradient.numbers["reached"], gradient.numbers["tensors"], gradient.status) == (1, 3, "error")
    assert {"en": "1 of 3", "zh": "3 个参数张量中有 1 个"}[language] in str(found)
    assert {"en": "It cannot learn", "zh": "无法学习"}[language] in str(found)


def test_labels_that_mean_nothing_cannot_be_told_from_equal_samples() -> None:
    x = numpy.repeat(numpy.ones((1, 20), dtype="float32"), 200, axis=0)
    found = danlu.check("mlp", (x, numpy.arange(200) % 2), standardise=False)
    assert not found.passed
    rules = {finding.rule: finding.severity for finding in found.findings}
    assert rules["one-batch"] in ("error", "warning")
    assert rules["input-constant"] == "error"


class Overflows(Shouts):
    """Takes the logarithm of 0."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x) + (x * 0).sum(1, keepdim=True).log()


@pytest.mark.every(2)
def test_a_loss_that_is_no_number_fails(language: str) -> None:
    found = danlu.check(Overflows(), "diabetes")
    assert not found.passed
    finding = next(finding for finding in found.findings if finding.rule == "first-loss")
    assert {"en": "before the first step", "zh": "第一步之前"}[language] in finding.title


def test_nothing_given_is_changed() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    before, drawn = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    danlu.check(net, "digits", lr=0.1)
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert torch.equal(drawn, torch.get_rng_state())


def test_silence_and_thresholds_of_the_recipe_are_heeded() -> None:
    settings: dict[str, Any] = {"hidden": [64, 64], "dropout": 0.95, "watch.silence": ["dropout-too-high"]}
    found = danlu.check("mlp", "digits", **settings)
    assert "dropout-too-high" not in {finding.rule for finding in found.findings}


def test_the_record_is_plain() -> None:
    record = json.loads(to_json(danlu.check("mlp", "iris").as_dict()))
    assert record["passed"] is True
    assert [line["check"] for line in record["checks"]] == NAMES
    assert all(line["found"] for line in record["checks"])


def test_what_fit_refuses_is_refused() -> None:
    with pytest.raises(UserError, match="lrr"):
        danlu.check("mlp", "digits", lrr=0.1)
