"""Noise of the targets that is not the noise of the inputs."""

import ast

import pytest

from danlu.watch.probes.code_noise import drawn_apart

FLOW = """
for x1 in loader:
    x0 = torch.randn_like(x1)
    xt = (1 - t) * x0 + t * x1
    loss = F.mse_loss(net(xt, t), x1 - {noise})
"""
METHOD = """
class Diffusion:
    def q_sample(self, x0, t, noise=None):
        noise = torch.randn_like(x0) if noise is None else noise
        return self.a[t] * x0 + self.s[t] * noise
    def p_losses(self, x0, t):
        noise = torch.randn_like(x0)
        xt = self.q_sample(x0, t{given})
        return ((self.model(xt, t) - noise) ** 2).mean()
"""
CRITERION = """
criterion = nn.MSELoss()
while True:
    eps = torch.randn(64, 2)
    v = model(a * x + s * eps, t)
    loss = criterion(v, a * {noise} - s * x)
"""


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (FLOW.format(noise="torch.randn_like(x1)"), 5),
        (FLOW.format(noise="x0"), None),
        (METHOD.format(given=""), 9),
        (METHOD.format(given=", noise"), None),
        (CRITERION.format(noise="torch.randn(64, 2)"), 6),
        (CRITERION.format(noise="eps"), None),
        # An input that is disturbed, and targets that are not; both disturbed a little; data drawn once.
        ("for x in xs:\n loss = mse_loss(net(x + randn_like(x)), x)", None),
        ("for x, y in xs:\n loss = mse_loss(net(x + 0.1 * randn_like(x)), y + 0.1 * randn_like(y))", None),
        ("y = f(x) + randn_like(x)\nfor i in order:\n loss = mse_loss(net(x[i] + randn_like(x[i])), y[i])", None),
        # What a net answers to noise is no noise.
        ("for s in xs:\n loss = mse_loss(q(s, pi(s) + randn_like(a)), r + g * target(s2, a2 + randn_like(a2)))", None),
    ],
)
def test_noise_drawn_apart(source: str, line: int | None) -> None:
    assert drawn_apart(ast.parse(source)) == line
