"""Cross-entropies told by the gradient that they send back."""

import pytest
import torch
import torch.nn.functional as F

from danlu.watch.probes.felt import FeltAnswers

N, T, V = 3, 5, 7
Y = torch.arange(N * T).reshape(N, T) % V
KEPT = torch.arange(T) < torch.tensor([[2], [3], [5]])


def told(loss_of: object) -> torch.Tensor | None:
    torch.manual_seed(0)
    logits = torch.randn(N, T, V, requires_grad=True) * 2
    felt = FeltAnswers([logits])
    loss_of(logits).backward()  # type: ignore[operator]
    found = felt.loss()
    return found.targets if found is not None else None


def nll(logits: torch.Tensor) -> torch.Tensor:
    return -logits.log_softmax(-1).gather(-1, Y[..., None]).squeeze(-1)


WHOLE = {
    "gathered": lambda x: nll(x).mean(),
    "summed and scaled": lambda x: 1024 * nll(x).sum(),
    "one-hot": lambda x: -(F.one_hot(Y, V) * x.log_softmax(-1)).sum() / N,
    "of torch, unreduced": lambda x: F.cross_entropy(x.transpose(1, 2), Y, reduction="none").mean(),
    "by a distribution": lambda x: -torch.distributions.Categorical(logits=x).log_prob(Y).mean(),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_the_targets_are_seen_however_the_loss_is_written(kind: str) -> None:
    found = told(WHOLE[kind])
    assert found is not None
    assert torch.equal(found, Y)


def test_places_that_a_mask_leaves_out_were_not_asked() -> None:
    found = told(lambda x: (nll(x) * KEPT).sum() / KEPT.sum())
    assert found is not None
    assert torch.equal(found, Y.masked_fill(~KEPT, -100))


OTHERS = {
    "squares": lambda x: (x - 1).square().mean(),
    "rewards of both signs": lambda x: (nll(x) * torch.linspace(-1, 1, T)).sum(),
    "a part of them": lambda x: x[..., :2].sum(),
    "nothing": lambda x: 0 * x.sum(),
    "not finite": lambda x: nll(x).sum() * float("inf"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_losses_are_none(kind: str) -> None:
    assert told(OTHERS[kind]) is None


def test_what_goes_nowhere_is_left_alone() -> None:
    for answers in ([], [torch.zeros(2, 3, 4)], [torch.zeros(6, 4, requires_grad=True) + 0]):
        assert FeltAnswers(answers).loss() is None
