"""Names in a piece of source."""

import ast

from danlu.watch.probes.code_words import assignments, name_of, reached, words_behind

SOURCE = """
class Loop:
    def fit(self):
        self.step()

    def step(self):
        return helper(1)

def helper(value):
    return value

def other():
    return helper(2)
"""


def test_what_a_function_calls_is_reached_and_nothing_else() -> None:
    tree = ast.parse(SOURCE)
    loop = tree.body[0]
    assert isinstance(loop, ast.ClassDef)
    found = reached(tree, loop.body[:1])
    assert isinstance(found, ast.Module)
    assert [one.name for one in found.body if isinstance(one, ast.FunctionDef)] == ["fit", "step", "helper"]


def test_names_are_followed_to_what_they_were_made_of() -> None:
    tree = ast.parse("a = f(b)\nc = a + 1\nd, e = c, 2")
    made = assignments(tree)
    assert {"a", "b", "c", "f"} <= words_behind(ast.Name("d"), made)
    assert "c" not in words_behind(ast.Name("e"), made)
    assert name_of(ast.parse("net.head(x)[0]", mode="eval").body) == "head"
