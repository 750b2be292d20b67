"""The inputs on which danlu once went wrong, where they are at hand: every file is loaded, every folder is read."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import danlu
from attack.inputs.case import Case
from danlu.data import load
from danlu.study.study import Study
from real_data import failing_cases

FAMILY = "recorded cases"
TARGETS = ("y", "label", "price", None)


def table(path: Path, target: str | None) -> Case:
    def act(place: Path) -> list[str]:
        copy = place / path.name
        shutil.copy(path, copy)
        load(copy, target=target)
        return []

    return Case(FAMILY, f"{path.name}, target {target}", act)


def folder(path: Path) -> Case:
    def act(place: Path) -> list[str]:
        copy = place / path.name
        shutil.copytree(path, copy)
        if (copy / "study.json").exists():
            str(Study(copy))
            danlu.draw(copy, place / "drawn.svg")
        else:
            str(danlu.Run(copy))
            danlu.resume(copy, progress=False)
        return []

    return Case(FAMILY, path.name, act)


def cases() -> Iterator[Case]:
    root = failing_cases()
    for path in sorted([*root.glob("tables/*"), *root.glob("trust/*")]):
        if path.is_dir():
            yield folder(path)
        elif path.suffix != ".py":
            yield from (table(path, target) for target in TARGETS)
