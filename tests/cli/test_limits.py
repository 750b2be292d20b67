"""Limits at the command line: numbers beyond reason, no memory, folders that are gone. A sentence, and exit code 2."""

import shutil
from pathlib import Path
from typing import Any

import pytest

import danlu
from command_line import CHINESE, Type, assert_refused
from danlu.cli.parser import VERBS
from danlu.run import training as training_module
from danlu.run.listeners.journal_writer import JournalWriter
from deadline import at_once
from recipe_page import settings

SHORT: dict[str, Any] = {"batch_size": 8, "progress": False}


COMPARE = ("compare", "--data", "iris", "--vary", "lr=0.1,0.2")
SEARCH = ("compare", "--data", "iris", "--search", "lr=0.1..0.2")
OPTIONS = [
    *((COMPARE, option) for option in ("--seeds", "--folds", "--jobs", "--margin")),
    *((SEARCH, option) for option in ("--trainings", "--minutes", "--seeds")),
    *((("lr-find",), option) for option in ("--points", "--steps", "--lowest")),
    (("view", "--no-browser"), "--port"),
    (("draw", "mlp"), "--boxes"),
    (("draw", "mlp"), "--shape"),
]
WORDS = ("-1", "1000000000000", "1" + "0" * 30, "9" * 5000, "nan", "1.5", "true", "abc", "")


@pytest.mark.every(3)
@pytest.mark.parametrize(("words", "option"), OPTIONS)
def test_options_of_the_command_line(words: tuple[str, ...], option: str, type_in: Type) -> None:
    harmless = {"--margin": ("0.5",), "--minutes": ("1000000000000", "1.5", "1" + "0" * 30), "--lowest": ("1.5",)}
    for word in WORDS:
        if word in harmless.get(option, ()):
            continue
        with at_once():
            told = type_in(*words, f"{option}={word}")
        assert (told.code, "Traceback" in told.err) == (2, False), f"{option} {word[:40]}: {told.err}"
        assert len(told.err) < 2000


def test_settings_of_the_command_line(type_in: Type) -> None:
    for key in ("train.epochs", "train.batch_size", "net.hidden", "data.workers", "train.seed"):
        for word in ("-1", "1e30", "9" * 5000, "nan", "inf", "true", "abc"):
            with at_once():
                told = type_in("fit", "--data", "iris", f"{key}={word}")
            assert (told.code, "Traceback" in told.err) == (2, False), f"{key}={word[:40]}: {told.err}"


def test_the_command_line_says_it_in_a_sentence(
    type_in: Type, language: str, monkeypatch: pytest.MonkeyPatch, work: Path
) -> None:
    with monkeypatch.context() as patch:

        def full(*_: Any) -> None:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4194304000 bytes.")

        patch.setattr(training_module, "train", full)
        told = type_in("fit", "--data", "iris", "--name", "run", "train.epochs=1", "--lang", language)
        assert "Traceback" not in told.err
        assert told.code == 2
        assert_refused_at_end(told, language)
    assert type_in("resume", "runs/run").code == 0


def assert_refused_at_end(told: Any, language: str) -> None:
    last = told.err.splitlines()[-1]
    assert_refused(type(told)(told.code, told.out, last + "\n"), language, "4,000 MiB", "train.batch_size", "runs/run")


def test_the_command_line_says_so(type_in: Type, language: str, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    flush = JournalWriter.flush

    def flushed(writer: JournalWriter) -> None:
        calls.append(1)
        if len(calls) == 4:
            shutil.rmtree(work / "runs")
        flush(writer)

    monkeypatch.setattr(JournalWriter, "flush", flushed)
    told = type_in("fit", "--data", "iris", "--name", "run", "train.epochs=30", "--lang", language)
    assert (told.code, "Traceback" in told.err, list(work.iterdir())) == (2, False, [])
    assert "runs/run" in told.faults[0]
    assert bool(CHINESE.search(told.faults[0])) == (language == "zh")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    danlu.fit("mlp", "iris", folder=folder / "run", epochs=1, **SHORT)
    danlu.compare("mlp", "iris", vary={"lr": [0.1, 0.2]}, seeds=1, epochs=1, folder=folder / "study", **SHORT)
    return folder


IRIS = ("--data", "iris", "--net", "mlp", "train.epochs=1")


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("fit", *IRIS), 2),
        (("fit", *IRIS, "--name", "x"), 2),
        (("fit", *IRIS, "--folder", "x"), 2),
        (("fit", *IRIS, "--folder", "KEPT/new"), 0),
        (("fit", "x.csv"), 2),
        (("fit", "x.toml"), 2),
        (("compare", *IRIS, "--vary", "lr=0.1,0.2", "--seeds", "1"), 2),
        (("compare", *IRIS, "--search", "lr=0.1..0.2", "--trainings", "2"), 2),
        (("show",), 2),
        (("show", "KEPT/run"), 0),
        (("show", "KEPT/study"), 0),
        (("resume", "KEPT/run"), 0),
        (("resume", "KEPT/study"), 0),
        (("resume", "runs/run"), 2),
        (("cure", "runs/run"), 2),
        (("view", "--no-browser"), 2),
        (("data", "iris"), 0),
        (("data", "x.csv"), 2),
        (("nets", "mlp"), 0),
        (("draw", "mlp"), 2),
    ],
    ids=lambda words: "-".join(map(str, words))[:50] if isinstance(words, tuple) else "",
)
def test_a_working_folder_that_is_no_more(
    words: tuple[str, ...], code: int, kept: Path, type_in: Type, work: Path
) -> None:
    work.rmdir()
    told = type_in(*(word.replace("KEPT", str(kept)) for word in words))
    assert (told.code, "Traceback" in told.err) == (code, False), told.err
    shutil.rmtree(kept / "new", ignore_errors=True)


LONG = "w" * 5000
UNBOUNDED = [
    f"{section}.{setting.key}"
    for section in ("loss", "optim", "train")
    for setting in settings(section)
    if "float, G" in str(setting.annotation)
    and "Le(" not in str(setting.annotation)
    and "Lt(" not in str(setting.annotation)
]
"""Numbers that only torch's single precision bounds."""


@pytest.mark.every(3)
@pytest.mark.parametrize("options", [(), ("--data", LONG), ("--net", LONG), ("--folder", LONG)], ids=len)
@pytest.mark.parametrize("verb", VERBS)
def test_a_word_longer_than_any_file_name(verb: str, options: tuple[str, ...], type_in: Type, work: Path) -> None:
    told = type_in(verb, LONG, *options)
    assert (told.code, "Traceback" in told.err) == (2, False)
    assert not list(work.iterdir())


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("compare", *IRIS, "--search", "net=1..2"), '"1"'),
        (("compare", *IRIS, "--vary", "net=1,2"), '"1"'),
        *((("fit", *IRIS, f"{key}=1e308"), key) for key in UNBOUNDED),
    ],
    ids=["search-nets", "vary-nets", *UNBOUNDED],
)
def test_numbers_that_nothing_takes(words: tuple[str, ...], named: str, type_in: Type, work: Path) -> None:
    told = type_in(*words)
    assert (told.code, named in told.err) == (2, True), told.err
    assert not list(work.iterdir())
