"""Facts about the targets of one loss are told of that loss, and what is no supervised loss is not read as progress."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import danlu


class TwoHeads(nn.Module):
    """A logit, or a probability, and scores of ten classes, from one body."""

    def __init__(self, *last: nn.Module) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(8, 16), nn.ReLU())
        self.one, self.many = nn.Sequential(nn.Linear(16, 1), *last), nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        h = self.body(x)
        return self.one(h), self.many(h)


def watched(loss: str, order: int) -> danlu.Watch:
    """A training by two losses, called in either order; the first one's targets are 0 to 1 or -9 to 9."""
    model = TwoHeads(*([nn.Sigmoid()] if loss == "bce" else []))
    x = torch.randn(512, 8)
    kind = x[:, 1:].argmax(1)
    wide = x[:, :1] * 3 + x[:, 1:2]  # of one column alone it would stand among the inputs, which is told
    real = (x[:, :1] > 0).float()
    first = {
        "bce": lambda out, i: F.binary_cross_entropy(out, real[i]),
        "logits": lambda out, i: F.binary_cross_entropy_with_logits(out, real[i]),
        "mse": lambda out, i: F.mse_loss(out, wide[i]),
    }[loss]
    adam = torch.optim.Adam(model.parameters(), 1e-3)
    with danlu.watch(model, adam, shown=False) as watch:
        for _ in range(6):
            for i in torch.randperm(512).split(32):
                one, many = model(x[i])
                calls = [lambda one=one, i=i: first(one, i), lambda many=many, i=i: F.cross_entropy(many, kind[i])]
                adam.zero_grad()
                sum(call() for call in calls[::order]).backward()  # type: ignore[union-attr]
                adam.step()
    return watch


@pytest.mark.every(3)
@pytest.mark.parametrize("loss", ["bce", "logits", "mse"])
@pytest.mark.parametrize("order", [1, -1], ids=["first", "last"])
def test_two_heads_with_two_losses_are_told_nothing_false(loss: str, order: int) -> None:
    watch = watched(loss, order)
    assert [finding.rule for finding in watch.findings if finding.severity != "advice"] == []
    facts = watch.measured.labels
    assert facts.kind == ("classes" if order == -1 else "numbers" if loss == "mse" else "binary")
    assert [head.loss for head in watch.measured.heads if head.labelled].count("cross-entropy") in (
        0,
        len(watch.measured.heads) // 2,
    )
    if facts.kind == "classes":
        assert set(facts.actual) <= set(facts.counts)
        assert sum(facts.actual.values()) < 10.5 * 32  # of this loss alone: newer batches count 1, 0.9, 0.81 …


def surrogate(policy: nn.Module, returns: str) -> torch.Tensor:
    torch.manual_seed(1)
    drawn = torch.distributions.Categorical(logits=policy(torch.randn(64, 4)))
    actions = drawn.sample()
    weights = torch.rand(64).cumsum(0)
    if returns == "of both signs":
        weights = weights - weights.mean()
    likelihoods = drawn.log_prob(actions)
    if returns == "one by one":
        return torch.stack([-one * weight for one, weight in zip(likelihoods, weights, strict=True)]).sum()
    return -(likelihoods * weights).mean()


@pytest.mark.parametrize("returns", ["positive", "of both signs", "one by one"])
def test_a_loss_weighed_by_returns_is_known_as_such(returns: str) -> None:
    policy = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    adam = torch.optim.Adam(policy.parameters(), 1e-2)
    with danlu.watch(policy, adam, shown=False) as watch:
        for _ in range(5):
            adam.zero_grad()
            surrogate(policy, returns).backward()
            adam.step()
    assert watch.measured.weighs_samples


@pytest.mark.parametrize("weights", ["none", "mask", "classes", "terms"])
def test_masks_weights_of_classes_and_of_terms_are_no_returns(weights: str) -> None:
    model = nn.Linear(4, 3)
    sgd = torch.optim.SGD(model.parameters(), 0.1)
    x, y = torch.randn(64, 4), torch.arange(64) % 3
    factors = {"mask": (x[:, 0] > 0).float(), "classes": torch.tensor([1.0, 2.0, 5.0])[y]}.get(weights, torch.ones(64))
    with danlu.watch(model, sgd, shown=False) as watch:
        for _ in range(5):
            sgd.zero_grad()
            output = model(x)
            loss = (F.cross_entropy(output, y, reduction="none") * factors).mean()
            if weights == "terms":
                loss = loss - 0.01 * output.softmax(1).std() + 0.5 * output.square().mean()
            loss.backward()
            sgd.step()
    assert not watch.measured.weighs_samples
