"""Every code block and command of README and docs/ runs, and prints what the page says it does.

A page runs from top to bottom in one folder of its own, in this process: its commands through the entry point of the
command line, those in tables last, its Python in one namespace. Output is compared line by line, numbers apart.
"""

import contextlib
import io
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_line import CHINESE
from danlu.base.recipe_text import read_recipe
from danlu.base.words import use_language
from danlu.cli.main import main
from danlu.cli.parser import VERBS, parse
from documentation import Block, Page, missing_from, name_of, pages
from stand_in_files import write_data_root, write_working_folder

CODE = ("python", "sh", "toml")
PAGES = [page for page in pages() if page.commands_in_tables or any(block.kind in CODE for block in page.blocks)]

SHORTENED: dict[str, tuple[str, str]] = {
    "danlu fit": ("danlu fit train.epochs=2", "51 epochs of a convolutional net take 20 s"),
    "danlu fit titanic.csv --target Survived": (
        "danlu fit titanic.csv --target Survived train.epochs=3",
        "200 epochs take 5 s",
    ),
    "danlu fit --net mlp train.epochs=3 train.processes=2 --name shared": (
        "danlu fit --net mlp train.epochs=3 train.processes=1 --name shared",
        "two processes import torch for 10 s; tests/run/distributed starts some",
    ),
    "danlu fit --data digits --net lenet5 train.epochs=1 train.compile=true --name compiled": (
        "danlu fit --data digits --net lenet5 train.epochs=1 train.compile=false --name compiled",
        "torch's compiler takes half a minute; tests/run/test_compiling.py calls it",
    ),
    "danlu draw resnet18": ("", "docs/draw.md draws it"),
    "danlu cure runs/deep": ("", "five seeds of eleven changes to a deep net take 30 s; docs/cure.md cures another"),
}
"""What is written, what is run instead (or nothing) unless slow tests are asked for, and why."""

QUICK = {written: run for written, (run, _) in SHORTENED.items()}

NOT_RUN = {
    "danlu export runs/titanic titanic.onnx": "docs/export.md trains that run, and exports it",
    "danlu predict runs/titanic new.csv": "docs/predict.md trains that run, and asks it",
    "danlu compare --track": "needs the extra track; tests/ship/test_trackers.py tracks studies",
    "danlu fit --track": "needs the extra track; tests/ship/test_trackers.py tracks runs",
    "danlu run": "takes the process for a script; tests/run/script/test_run.py runs some",
    "danlu try": "serves until Ctrl-C; tests/cli/test_try.py starts and ends it",
    "danlu play": "serves until Ctrl-C; tests/cli/test_play.py starts and ends it",
    "danlu view": "serves until Ctrl-C; tests/cli/test_view.py starts and ends it",
}
"""How commands begin that are only parsed here, and why."""

EXIT_CODES = {"check": (0, 1)}
"""Commands that may end with something else than 0: a check that finds something has done its work."""


def _lines(page: Page) -> set[str]:
    """The lines of a page's code, and the commands in its tables."""
    code = [block.text for block in page.blocks if block.kind in CODE]
    return {*page.commands_in_tables, *"\n".join(code).splitlines()}


def _told_in_chinese(page: Page) -> list[Block]:
    """The blocks up to the last one that shows Chinese output."""
    blocks = page.blocks
    shown = [number for number, block in enumerate(blocks) if block.kind == "text" and CHINESE.search(block.text)]
    return blocks[: shown[-1] + 1] if shown else []


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh working folder with the files that the examples name, and a data root with small data sets."""
    place, root = tmp_path / "work", tmp_path / "data"
    place.mkdir()
    write_working_folder(place)
    write_data_root(root)
    monkeypatch.setenv("DANLU_DATA", str(root))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.delenv("DANLU_LANG", raising=False)
    monkeypatch.chdir(place)
    return place


@pytest.mark.every(16)
@pytest.mark.parametrize("page", [page for page in PAGES if not page.chinese], ids=name_of)
def test_a_page_does_what_it_says(page: Page, folder: Path) -> None:
    _run(page, page.blocks, folder, QUICK)
    _run_tables(page, QUICK)


@pytest.mark.every(6)
@pytest.mark.parametrize("page", [page for page in PAGES if page.chinese and _told_in_chinese(page)], ids=name_of)
def test_a_chinese_page_shows_what_is_printed(page: Page, folder: Path) -> None:
    """Its code is that of the English page (tests/test_documentation.py); run as far as output is shown."""
    _run(page, _told_in_chinese(page), folder, QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_does_what_it_says_at_full_length(page: Page, folder: Path) -> None:
    _run(page, page.blocks, folder, {})
    _run_tables(page, {})


def test_the_tables_hold_nothing_that_no_page_says() -> None:
    lines = set[str]().union(*map(_lines, PAGES))
    assert not [words for words in SHORTENED if words not in lines]
    assert not [words for words in NOT_RUN if not any(line.startswith(words) for line in lines)]


def _run(page: Page, blocks: list[Block], folder: Path, shorter: dict[str, str]) -> None:
    use_language(page.language)
    names: dict[str, Any] = {"__name__": "page"}
    printed = ""
    for block in blocks:
        where = f"{page.name}, line {block.line}"
        if block.kind == "text":
            assert not (fault := missing_from(printed, block.text)), f"{where}\n{fault}\n\nprinted:\n{printed}"
        if block.kind not in CODE:
            continue
        with _printing() as told:
            if block.kind == "toml":
                _recipe(block, folder)
            elif block.kind == "python" and (file := re.match(r"# (\w+\.py)\n", block.text)):
                (folder / file[1]).write_text(block.text, encoding="utf-8")
            elif block.kind == "python":
                code = "\n".join(shorter.get(line, line) for line in block.text.splitlines())
                exec(compile("\n" * (block.line - 1) + code, page.path, "exec"), names)
            else:
                for line in block.text.splitlines():
                    _command(line, shorter, page.language, where)
        printed = told.getvalue()


def _run_tables(page: Page, shorter: dict[str, str]) -> None:
    for command in page.commands_in_tables:
        with _printing():
            _command(command, shorter, page.language, page.name)


@contextlib.contextmanager
def _printing() -> Iterator[io.StringIO]:
    """Both streams into one, as in a terminal."""
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        yield told


def _recipe(block: Block, folder: Path) -> None:
    first = block.text.split("\n", 1)[0].removeprefix("# ")
    path = folder / (first if first.endswith(".toml") else "read-only.toml")
    path.write_text(block.text, encoding="utf-8")
    read_recipe(path)


def _command(line: str, shorter: dict[str, str], language: str, where: str) -> None:
    words = shlex.split(shorter.get(line, line))
    if not words or words[0] == "make":  # tests/test_documentation.py looks up the targets of make
        return
    assert words[0] == "danlu", f"{where}: {line}"
    if any(line == start or line.startswith(f"{start} ") for start in NOT_RUN):
        parse(VERBS[words[1]], words[2:])
        return
    code = main([*words[1:], "--lang", language])
    assert code in EXIT_CODES.get(words[1], (0,)), f"{where}: {line} ended with {code}\n{sys.stdout.getvalue()}"
