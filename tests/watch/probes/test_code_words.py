"""Names in a piece of source."""

import ast

import pytest

from danlu.watch.probes.code_words import assignments, name_of, reached, words_behind

SOURCE = """
class Loop:
    def fit(self):
        self.step()
    def step(self):
        return helper(1)
    def unused(self):
        pass

def helper(value):
    return value

def other():
    def step():
        return 3
    return helper(2)

class Unmade:
    def step(self):
        pass

helper(5)
"""


@pytest.mark.parametrize(
    ("lines", "names"),
    [([3], {"helper", "Loop", "fit", "step"}), ([13], {"other", "step", "helper"}), ([0], {"helper"}), ([], set())],
)
def test_what_runs_is_reached_and_nothing_else(lines: list[int], names: set[str]) -> None:
    found = reached(ast.parse(SOURCE), lines)
    assert {one.name for one in ast.walk(found) if isinstance(one, ast.FunctionDef | ast.ClassDef)} == names
    assert any(isinstance(one, ast.Expr) for one in found.body) == (0 in lines)


def test_names_are_followed_to_what_they_were_made_of() -> None:
    tree = ast.parse("a = f(b)\nc = a + 1\nd, e = c, 2")
    made = assignments(tree)
    assert {"a", "b", "c", "f"} <= words_behind(ast.Name("d"), made)
    assert "c" not in words_behind(ast.Name("e"), made)
    assert name_of(ast.parse("net.head(x)[0]", mode="eval").body) == "head"


def test_a_function_that_is_chosen_by_its_name_is_reached() -> None:
    source = "def one(): pass\ndef other(): pass\ndef third(): pass\ndef train():\n f = one if x else other\n f()"
    assert [one.name for one in reached(ast.parse(source), [4]).body] == ["one", "other", "train"]  # type: ignore[attr-defined]
