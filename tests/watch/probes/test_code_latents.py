"""The divergence from a standard normal distribution, as it is written."""

import ast

import pytest

from danlu.watch.probes.code_latents import divergence_from_normal


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())", True),
        ("kl = -0.5 * (1 + v - m**2 - torch.exp(v)).sum(1).mean()", True),
        ("kl = 0.5 * (m.square() + v.exp() - v - 1).mean()", True),
        ("kl = kl_divergence(posterior, prior).mean()", True),
        ("z = m + torch.exp(0.5 * v) * noise", False),
        ("loss = (x - told).pow(2).mean() + 1", False),
    ],
)
def test_formulas(source: str, found: bool) -> None:
    assert (divergence_from_normal(ast.parse(source)) is not None) == found
