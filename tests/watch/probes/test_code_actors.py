"""The losses of actors: which way values of their actions go in."""

import ast

import pytest

from danlu.watch.probes.code_actors import entropy_term, flees_values


@pytest.mark.parametrize(
    ("source", "flees"),
    [
        ("actor_loss = critic(s, actor(s)).mean()", True),
        ("actor_loss = -critic(s, actor(s)).mean()", False),
        ("policy_loss = -self.q1(s, self.pi(s)).mean()", False),
        ("q = torch.min(q1(s, a), q2(s, a))\npi_loss = (q - alpha * log_pi).mean()", True),
        ("q = torch.min(q1(s, a), q2(s, a))\npi_loss = (alpha * log_pi - q).mean()", False),
        ("def actor_loss(s):\n return (p * (q - alpha * log_p)).sum(1).mean()", True),
        ("def actor_loss(s):\n return (p * (alpha * log_p - q)).sum(1).mean()", False),
        ("q = -critic(s, a)\nactor_loss = q.mean()", False),
        ("actor_loss = -lmbda * q.mean() + F.mse_loss(a, wanted)", False),
        ("actor_loss = (log_prob * advantage).mean()", False),  # judged by its graph
        ("policy_loss = -torch.min(one, other).mean() + 0.5 * q_loss", False),
        ("opt = Adam(ps, maximize=True)\nactor_loss = critic(s, actor(s)).mean()", False),
        ("d_loss = critic(fake).mean() - critic(real).mean()", False),  # no actor
    ],
)
def test_values_that_are_made_small(source: str, flees: bool) -> None:
    assert (flees_values(ast.parse(source)) is not None) == flees


def test_the_line_of_an_entropy() -> None:
    assert entropy_term(ast.parse("e = dist.entropy()\nloss = pg + v\nloss = loss - 0.01 * entropy.mean()")) == 3
    assert entropy_term(ast.parse("loss = F.cross_entropy(out, y)\nloss = a + b")) is None
