"""What tests of the playground share: a move carried out to its end, and tables with two columns of numbers."""

import time
from pathlib import Path
from typing import Any

import numpy

from danlu.lab.play.playground import Playground

PATIENCE = 120.0  # seconds for one move, on a busy machine


def moved(playground: Playground, **changed: Any) -> dict[str, Any]:
    """What is told once a move is trained to its end."""
    playground.move({**playground.form()["chosen"], **changed})
    return ended(playground)


def ended(playground: Playground) -> dict[str, Any]:
    """What is told once the newest move is trained to its end."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        told = playground.now(0, 0, 0)
        if told["ready"]:
            return told
        time.sleep(0.02)
    raise AssertionError("the move has not ended")


def write_points(path: Path, rows: int = 120) -> Path:
    """A table of points with a text, a class (within a circle or not) and a number to predict (a slope)."""
    random = numpy.random.default_rng(3)
    lines = ["a,b,colour,class,price"]
    for a, b in random.uniform(-1, 1, (rows, 2)):
        inside = a * a + b * b < 0.5
        lines.append(f"{a:.4f},{b:.4f},{'red' if a > 0.2 else 'green'},{'in' if inside else 'out'},{3 * a - b:.4f}")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
