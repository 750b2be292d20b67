"""The line that made what a net is called with, where no loader gives it."""

import ast

import pytest

from danlu.base.records import CodeLine
from danlu.watch.data_lines import gives_batch, makes_inputs, makes_inputs_outside


def place(source: str, marked: str) -> tuple[list[ast.AST], CodeLine]:
    """The scopes of the line that holds `marked`, and that line."""
    tree = ast.parse(source)
    line = next(number for number, text in enumerate(source.splitlines(), 1) if marked in text)
    inside = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)
              and one.lineno <= line <= (one.end_lineno or 0)]  # fmt: skip
    return [*reversed(inside), tree], CodeLine("train.py", line)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x, y, x_test, y_test = load()\nfor i in order:\n loss = f(net(x[i]), y[i])", 1),
        ("x = load()\nx = x / 255 / 255\nfor i in order:\n out = net(x[i].view(-1, 784))", 2),
        ("x = load()\nx[:, 3] = raw[:, 3]\nout = net(x)", 2),
        ("x = load()\nx /= 255\nout = net(x)", 2),
        ("x = load()\nfor i in order:\n b = x[i] / 255\n out = net(b)", 3),
        ("x = load()\nfor i in order:\n out = net(x[i] / 255)", 3),
        ("x, y = load()\nfor a, b in batches(x, y, 64):\n out = net(a)", 1),
        ("x, y = load()\nfor a, b in data_iter(batch_size, x, y):\n loss = f(self.net(a), b)", 1),
        ("out = net(unknown)", None),
        ("out = net(3)", 1),
    ],
)
def test_where_the_numbers_were_last_computed_or_read(source: str, line: int | None) -> None:
    assert makes_inputs(*place(source, "net(")) == line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x = load()\nfor k in range(n):\n b = x[k : k + 32]\n out = net(b)", 3),
        ("x = load()\nfor a, b in batches(x, y, 64):\n out = net(a)", 2),
        ("out = net(unknown)", None),
    ],
)
def test_where_a_batch_is_taken(source: str, line: int | None) -> None:
    assert gives_batch(*place(source, "net(")) == line


LOOP = "def train(net, x, y, size):\n for a, b in batches(x, y, size):\n  loss = f(net(a), b)\n"


def test_data_that_a_function_is_given_are_followed_to_its_caller() -> None:
    inner = place(LOOP, "net(a)")
    for call in ("train(model, images, labels, 64)", "train(model, y=labels, size=64, x=images)"):
        source = f"images = load()\nimages = images * 255\n{call}"
        assert makes_inputs_outside([inner, place(source, "train(")]) == CodeLine("train.py", 2)
    assert makes_inputs_outside([inner]) == CodeLine("train.py", 2)  # the loop: nobody is seen to call it
    elsewhere = place("images = load()\ngo(images)", "go(")
    assert makes_inputs_outside([inner, elsewhere]) == CodeLine("train.py", 2)
