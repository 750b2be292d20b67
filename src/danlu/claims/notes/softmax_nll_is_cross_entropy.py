"""Softmax, logarithm and negative log-likelihood together are the cross-entropy loss; and why it takes logits: written
out one after the other they end in infinity where the loss of the logits is finite."""

from collections.abc import Sequence

import torch
from torch import nn

from danlu.base.seeds import stream
from danlu.claims.claim import IdentityClaim
from danlu.claims.evidence import CurveData, Plot

_LARGE = 200.0  # exp(-200) is 0 in single precision


def _checks() -> dict[str, float]:
    numbers = stream(0, "softmax-nll")
    logits = torch.randn(500, 10, dtype=torch.float64, generator=numbers) * 5
    labels = torch.randint(10, (500,), generator=numbers)
    loss = nn.functional.cross_entropy(logits, labels)
    by_parts = nn.functional.nll_loss(torch.log(torch.softmax(logits, 1)), labels)
    log_softmax = nn.functional.nll_loss(torch.log_softmax(logits, 1), labels)
    by_hand = (torch.logsumexp(logits, 1) - logits[torch.arange(500), labels]).mean()
    large, wrong = torch.tensor([[_LARGE, 0.0]]), torch.tensor([1])
    whole = nn.functional.cross_entropy(large, wrong)
    parts = nn.functional.nll_loss(torch.log(torch.softmax(large, 1)), wrong)
    return {
        "softmax-log-nll": float((loss - by_parts).abs()),
        "log-softmax-nll": float((loss - log_softmax).abs()),
        "log-sum-exp": float((loss - by_hand).abs()),
        "logits-stay-finite": abs(float(whole) - _LARGE) if parts.isinf() else float("nan"),
    }


def _figure() -> Sequence[Plot]:
    gaps = torch.linspace(0, 150, 301)
    logits = torch.stack([gaps, torch.zeros_like(gaps)], 1)
    wrong = torch.ones(len(gaps), dtype=torch.int64)
    whole = nn.functional.cross_entropy(logits, wrong, reduction="none")
    parts = nn.functional.nll_loss(torch.log(torch.softmax(logits, 1)), wrong, reduction="none")
    finite = [value if value < float("inf") else None for value in parts.tolist()]
    curves = [
        CurveData("cross-entropy", gaps.tolist(), whole.tolist()),
        CurveData("softmax-log-nll", gaps.tolist(), finite),
    ]
    return [Plot("logit-gap", "loss", curves)]


SOFTMAX_NLL_IS_CROSS_ENTROPY = IdentityClaim(
    "softmax-nll-is-cross-entropy",
    {"softmax-log-nll": 1e-12, "log-softmax-nll": 1e-12, "log-sum-exp": 1e-12, "logits-stay-finite": 1e-3},
    _checks,
    _figure,
)
