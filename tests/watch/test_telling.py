"""Lines that show a fault, found in a piece of source."""

import ast

import pytest

from danlu.base.records import CodeLine
from danlu.watch.telling import (
    caller,
    cuts_the_graph,
    makes_what_goes_backwards,
    only_call,
)

ATTENTION = """
class Attention:
    def __init__(self):
        self.act = softmax(3)
    def forward(self, x):
        att = x @ x.T
        att = att.masked_fill(self.mask == 0, 1e-9)
        return att.softmax(-1) @ x
"""


@pytest.mark.parametrize(
    ("names", "line"), [(("masked_fill", "softmax"), 7), (("softmax",), 8), (("tril",), None), ((), None)]
)
def test_the_only_call_of_a_name_outside_of_the_constructor(names: tuple[str, ...], line: int | None) -> None:
    assert only_call(ast.parse(ATTENTION), names) == line


def test_of_several_calls_none_is_named() -> None:
    assert only_call(ast.parse("a = x.softmax(0)\nb = x.softmax(1)"), ["softmax"]) is None


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("loss = f(x)\nloss.backward()", 1),
        ("loss = f(x)\nloss = loss / 2\nscaler.scale(loss).backward()", 2),
        ("f(x).backward()", 1),
        ("a.loss = f(x)\na.loss.backward()", 2),
        ("other = f(x)\nloss.backward()", 2),
    ],
)
def test_the_line_that_made_what_goes_backwards(source: str, line: int) -> None:
    last = source.count("\n") + 1
    assert makes_what_goes_backwards(ast.parse(source), CodeLine("train.py", last)).line == line


def test_a_function_called_once_is_named_where_it_is_called() -> None:
    scopes = [ast.parse("b = other()"), ast.parse("\na = made(1)"), ast.parse("made(2)")]
    assert caller(scopes, "made") == 2
    assert caller([ast.parse("made(1)\nmade(2)")], "made") is None


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("p = torch.tensor(logs, requires_grad=True)\nr = torch.tensor(rewards)\nloss = -(p * r).sum()", 1),
        ("loss = -q(s, actor(s).detach()).mean()", 1),
        ("a = net(x)\nb = a.item()\nc = other.detach()\nloss = b + 1", 2),
        ("a = net(x)\nloss = a.mean()", 2),
    ],
)
def test_the_line_that_takes_a_value_out_of_the_graph(source: str, line: int) -> None:
    last = source.count("\n") + 1
    assert cuts_the_graph(ast.parse(source), CodeLine("train.py", last)).line == line
