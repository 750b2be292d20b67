"""The block around a training: what it finds, what it leaves alone, and that it leaves no trace."""

import copy

import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.watch.rulebook import rulebook

IDS = [
    "accumulation-cleared",
    "class-ignored",
    "ema-too-slow",
    "evaluation-misuse",
    "frozen-norm-drifts",
    "losses-unbalanced",
    "positions-missing",
    "scaler-misuse",
    "state-carried",
    "targets-unrelated",
    "temperature-mismatch",
    "order-repeats",
    "augmentation-repeats",
    "temperature-square",
    "threshold-on-test",
    "latent-collapsed",
    "leaf-changed",
    "pairs-broken",
    "targets-attached",
    "terminal-bootstrapped",
    "views-alike",
    "class-weights-inverted",
    "future-leak",
    "loss-below-floor",
    "output-collapsed",
    "padding-in-loss",
    "padding-seen",
    "samples-mixed",
    "softmax-axis",
    "targets-not-shifted",
    "input-scale",
    "input-twice-scaled",
    "input-nonfinite",
    "input-constant",
    "label-range",
    "label-imbalance",
    "unshuffled",
    "train-test-overlap",
    "loader-starved",
    "softmax-twice",
    "loss-mismatch",
    "output-activation",
    "loss-broadcast",
    "loss-sum",
    "initial-loss",
    "missing-nonlinearity",
    "lr-too-high",
    "lr-too-low",
    "gradients-accumulate",
    "no-update",
    "parameters-not-optimized",
    "parameters-unused",
    "optimizer-recreated",
    "scheduler-misuse",
    "weight-decay-too-high",
    "clip-too-tight",
    "vanishing-gradient",
    "exploding-gradient",
    "saturated",
    "dead-relu",
    "nonfinite",
    "bad-init",
    "batchnorm-small-batch",
    "dropout-too-high",
    "eval-mode-in-training",
    "train-mode-in-evaluation",
    "overfitting",
    "underfitting",
    "plateau",
    "too-few-epochs",
]


def net(*last: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3), *last)


def train(model: nn.Module, steps: int = 30, *, clear: bool = True) -> None:
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        x = torch.randn(32, 8, generator=generator)
        if clear:
            optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), x[:, :3].argmax(1)).backward()
        optimizer.step()


def found(model: nn.Module, **settings: object) -> list[str]:
    with danlu.watch(model, shown=False, **settings) as watch:  # type: ignore[arg-type]
        train(model)
    return [finding.rule for finding in watch.findings if finding.severity != "advice"]


def test_every_rule_of_the_list_is_there() -> None:
    assert sorted(rule.id for rule in rulebook()) == sorted(IDS)


def test_a_softmax_before_the_cross_entropy_is_found_first() -> None:
    assert found(net(nn.Softmax(dim=1)))[0] == "softmax-twice"


def test_a_healthy_training_is_left_in_peace() -> None:
    assert found(net()) == []


def test_a_rule_that_is_silenced_says_nothing() -> None:
    assert "softmax-twice" not in found(net(nn.Softmax(dim=1)), silence=["softmax-twice"])


def test_gradients_that_are_never_cleared_are_found() -> None:
    model = net()
    with danlu.watch(model, shown=False) as watch:
        train(model, clear=False)
    assert "gradients-accumulate" in [finding.rule for finding in watch.findings]


def test_the_watched_weights_are_those_of_the_unwatched_training() -> None:
    plain, watched = net(), net()
    train(plain)
    found(watched)
    for ours, theirs in zip(watched.parameters(), plain.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_no_hook_and_no_patch_is_left() -> None:
    model = net()
    before = torch.Tensor.backward, nn.Module.__call__, torch.nn.functional.cross_entropy
    hooks = copy.deepcopy([vars(module)["_forward_hooks"] for module in model.modules()])
    found(model)
    assert (torch.Tensor.backward, nn.Module.__call__, torch.nn.functional.cross_entropy) == before
    assert [vars(module)["_forward_hooks"] for module in model.modules()] == hooks


def test_an_unknown_rule_is_told_with_the_nearest() -> None:
    with pytest.raises(UserError, match="softmax-twice"):
        danlu.watch(net(), silence=["softmax-twise"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_finding_is_told_in_five_lines_at_most(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    danlu.use_language(language)
    model = net(nn.Softmax(dim=1))
    try:
        with danlu.watch(model):
            train(model)
    finally:
        danlu.use_language("en")
    told = capsys.readouterr().err
    first = told.split("\n✖")[0].split("\n▲")[0].split("\n·")[0]
    assert "softmax-twice" in told
    assert len(first.strip().splitlines()) <= 5


def test_fit_keeps_its_findings(tmp_path: object) -> None:
    run = danlu.fit("mlp", "digits", lr=1e4, epochs=2, folder=f"{tmp_path}/run", progress=False)
    assert [finding for finding in run.findings if finding.severity in ("error", "warning")]
    quiet = danlu.fit("mlp", "digits", lr=1e4, epochs=2, folder=f"{tmp_path}/quiet", progress=False, watch=False)
    assert quiet.findings == []
