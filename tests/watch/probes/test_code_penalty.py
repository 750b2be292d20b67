"""Penalties on the weights that a loss takes off."""

import ast

import pytest

from danlu.watch.probes.code_penalty import rewarded_weights

LOOP = (
    "l2 = 0\nfor p in net.parameters():\n    l2 {op} p.pow(2).sum()\n"
    "loss = f(net(x), y) {sign} 0.1 * l2\nloss.backward()"
)
FUNCTION = (
    "def l2(net):\n    return sum((p ** 2).sum() for p in net.parameters())\n"
    "loss = f(net(x), y)\nloss = loss {sign} lam * l2(net)\nloss.backward()"
)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (LOOP.format(op="+=", sign="-"), 4),
        (LOOP.format(op="+=", sign="+"), None),
        (LOOP.format(op="-=", sign="-"), None),
        (FUNCTION.format(sign="-"), 4),
        (FUNCTION.format(sign="+"), None),
        (FUNCTION.format(sign="-").replace("(p ** 2)", "-(p ** 2)"), None),
        ("loss = f(x)\nfor p in net.parameters():\n    loss -= 0.1 * p.norm()\nloss.backward()", 3),
        ("loss = f(x)\nfor p in net.parameters():\n    loss += 0.1 * p.norm()\nloss.backward()", None),
        ("reg = sum(p.abs().sum() for p in net.parameters())\nloss = a + b - 0.1 * reg\nloss.backward()", 2),
        ("reg = sum(p.abs().sum() for p in net.parameters())\nloss = a - b + 0.1 * reg\nloss.backward()", None),
        # a distribution's probabilities are no weights, whatever they are called
        (
            "for p in net.parameters():\n    p.grad = None\nloss = a - b * (p ** 2).sum()\nloss.backward()",
            None,
        ),
        ("log_prior = sum((p ** 2).sum() for p in net.parameters())\nloss = a - log_prior\nloss.backward()", None),
        ("size = sum((p ** 2).sum() for p in net.parameters())\nleft = a - size\nloss.backward()", None),
        ("for p in net.parameters():\n    p.data = p.data - 0.1 * p.grad\nloss.backward()", None),
    ],
)
def test_what_is_taken_off(source: str, line: int | None) -> None:
    assert rewarded_weights(ast.parse(source)) == line
