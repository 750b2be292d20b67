"""Ends of episodes in the source."""

import ast

import pytest

from danlu.watch.probes.code_ends import ended_by_time_alone

STEP = "after, reward, terminated, truncated, info = env.step(action)\n"
SOURCES = {
    "time alone": (STEP + "done = truncated\nif terminated or truncated:\n    env.reset()", True),
    "without info": ("a, r, term, trunc = env.step(x)\nbuffer(float(0))\ndones = trunc", True),
    "both": (STEP + "done = terminated or truncated", False),
    "the right one": (STEP + "done = terminated", False),
    "the right one goes into a memory": (STEP + "memory.add(reward, terminated)\nover = truncated", False),
    "the old interface": ("after, reward, done, info = env.step(action)\nd = done", False),
    "a step of an optimiser": ("optimizer.step()\ndone = truncated", False),
    "in a function, beside the environment": (
        (
            "class E:\n def step(self, a):\n  terminated = a > 3\n  return a, 0.0, terminated, False\n"
            "def main():\n a, r, terminated, truncated = env.step(x)\n done = truncated"
        ),
        True,
    ),
    "one is not looked at": ("a, r, _, truncated, _ = env.step(x)\ndone = truncated", False),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_an_end_by_time_alone(kind: str) -> None:
    source, found = SOURCES[kind]
    assert (ended_by_time_alone(ast.parse(source)) is not None) == found
