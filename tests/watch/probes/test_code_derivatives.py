"""Derivatives in the source: where their values go."""

import ast

import pytest

from danlu.watch.probes.code_derivatives import goes_into_loss


def goes(source: str, *lines: int) -> bool:
    """Whether the derivative taken in the first of these lines, called from the others, goes into a loss."""
    tree = ast.parse(source)
    homes = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)]

    def around(line: int) -> ast.AST:
        return next((one for one in homes if one.lineno <= line <= (one.end_lineno or 0)), tree)

    return goes_into_loss([(around(line), line) for line in lines])


@pytest.mark.parametrize(
    ("then", "into_loss"),
    [
        ("loss = d(x).mean() + lam * ((g.norm(2, dim=1) - 1) ** 2).mean()", True),
        ("res = g + 2 * u\nloss = res.pow(2).mean()", True),
        ("loss = F.mse_loss(-g, force) + 0.1 * F.mse_loss(e, energy)", True),
        ("gp = g.pow(2).sum()\nloss = d(x).mean()\nloss += gp", True),
        ("hard = (x + eps * g.sign()).detach()\nloss = F.cross_entropy(net(hard), y)", False),  # an attack
        ("loss = F.cross_entropy(net(x + 0.1 * g), y)", False),
        ("each = ce(net(x), y)\nloss = (g.abs().mean(1) * each).mean()", False),  # weights of samples
        ("size = g.norm().item()\nloss = d(x).mean()", False),  # for the log
        ("loss = d(x).mean() + 0.1 * g.norm().detach()", False),  # told to be a number
        ("w = w - lr * g\nout = F.linear(x, w)\nloss = out.pow(2).mean()", False),  # a step of an inner training
        ("g = d(x)\nloss = g.mean()", False),  # the name is another's by then
    ],
)
def test_arithmetic_alone_leads_into_a_loss(then: str, into_loss: bool) -> None:
    assert goes(f"g = torch.autograd.grad(u.sum(), x)[0]\n{then}\nloss.backward()", 1) == into_loss


PENALTY = """
def penalty(d, x):
    (g,) = torch.autograd.grad(d(x).sum(), x)
    return {}
def step(real):
    {} = penalty(critic, real)
    loss = critic(real).mean() + {}
    opt.zero_grad()
    {}
"""


@pytest.mark.parametrize(
    ("holes", "into_loss"),
    [
        (("g.square().sum(1).mean()", "gp", "10 * gp", "loss.backward()"), True),
        (("g.square().sum(1).mean()", "gp", "10 * gp", "scaler.scale(loss).backward()"), True),
        (("g.square().sum(1).mean()", "gp", "10 * gp", "self.manual_backward(loss)"), True),
        (("d(x), g.square().mean()", "out, gp", "gp", "loss.backward()"), True),
        (("d(x), g.square().mean()", "out, _", "out.mean()", "loss.backward()"), False),
        (("g.square().mean()", "gp", "0", "log(gp)"), False),
    ],
)
def test_it_is_followed_through_functions(holes: tuple[str, str, str, str], into_loss: bool) -> None:
    assert goes(PENALTY.format(*holes), 3, 6) == into_loss
