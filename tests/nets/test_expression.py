"""Expressions: values and gradients are those of calculus, and nothing typed is ever run."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.nets.expression import FUNCTIONS, expression_graph

NUMBERS = st.floats(-5, 5).map(lambda value: round(value, 3))


def node(text: str, values: dict[str, float], title: str) -> tuple[float, float]:
    found = next(one for one in expression_graph(text, values).nodes if one.title == title)
    return float(found.value), float(found.gradient)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_the_square_of_an_error_by_hand(w: float, x: float, y: float) -> None:
    graph = {one.title: one for one in expression_graph("(w*x - y)**2", {"w": w, "x": x, "y": y}).nodes}
    error = w * x - y
    assert float(graph["^"].value) == pytest.approx(error**2, rel=1e-3, abs=1e-6)
    assert float(graph["w"].gradient) == pytest.approx(2 * error * x, rel=1e-3, abs=1e-6)
    assert float(graph["x"].gradient) == pytest.approx(2 * error * w, rel=1e-3, abs=1e-6)
    assert float(graph["y"].gradient) == pytest.approx(-2 * error, rel=1e-3, abs=1e-6)


def test_a_name_used_twice_gathers_both_gradients() -> None:
    assert node("x*x + 3*x", {"x": 2}, "x") == (2, 7)


def test_each_arrow_has_its_local_derivative() -> None:
    graph = expression_graph("w*x + b", {"w": 2, "x": 3, "b": 1})
    titles = {one.id: one.title for one in graph.nodes}
    found = {(titles[edge.source], titles[edge.target]): edge.local for edge in graph.edges}
    assert found == {("w", "×"): "3", ("x", "×"): "2", ("×", "+"): "1", ("b", "+"): "1"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_gradient(name: str) -> None:
    text = f"{name}(x, y)" if FUNCTIONS[name][0] == 2 else f"{name}(x) + 0*y"
    value, gradient = node(text, {"x": 0.7, "y": 0.2}, "x")
    assert (value, math.isfinite(gradient)) == (0.7, True)


def test_a_sigmoid_by_hand() -> None:
    s = 1 / (1 + math.exp(-0.5))
    assert node("sigmoid(x)", {"x": 0.5}, "x")[1] == pytest.approx(s * (1 - s), rel=1e-3)


@pytest.mark.parametrize(
    ("text", "values", "words"),
    [
        ("w*", {}, "cannot be read"),
        ("w*x", {"w": 1}, "no value for x.*x=1"),
        ("w", {"w": 1, "v": 2}, "given for v"),
        ("1/x", {"x": 0}, "is inf"),
        ("log(x)", {"x": -1}, "is nan"),
        ("sqr(x)", {"x": 1}, 'no function sqr.*sqrt"'),
        ("max(x)", {"x": 1}, "max takes 2 numbers, not 1"),
        ("x if x else 1", {"x": 1}, "cannot be drawn"),
        ("__import__('os').system('true')", {}, "cannot be drawn|no function"),
        ("().__class__", {}, "cannot be drawn"),
        ("[x for x in y]", {"x": 1}, "cannot be drawn"),
        ("'a'*3", {}, "cannot be drawn"),
        ("+".join(["x"] * 100), {"x": 1}, "too long"),
        ("9" * 1001, {}, "too long"),
        ("(" * 400 + "x" + ")" * 400, {"x": 1}, "cannot be read"),
        ("", {}, "cannot be read"),
    ],
)
def test_what_cannot_be_drawn_is_told(text: str, values: dict[str, float], words: str) -> None:
    with pytest.raises(UserError, match=words):
        expression_graph(text, values)


def test_all_faults_at_once() -> None:
    with pytest.raises(UserError, match="no value for b, x") as caught:
        expression_graph("w*x + b", {"w": 1, "v": 1, "u": 2})
    assert len(caught.value.faults) == 3
