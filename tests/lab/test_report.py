"""danlu.report: the file it writes, and every mistake told at once, with nothing written."""

import os
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.errors import UserError
from task_matrix import TASKS, ground_of, trained

SETTINGS: dict[str, Any] = {"epochs": 1, "progress": False}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one name, a third one, and a study."""
    folder = tmp_path_factory.mktemp("report")
    for name in ("runs/first", "runs/second", "others/first"):
        danlu.fit("softmax-regression", "digits", folder=folder / name, **SETTINGS)
    vary = {"optim.lr": [0.001, 0.1]}
    danlu.compare("softmax-regression", "iris", vary=vary, seeds=3, folder=folder / "studies" / "rates", **SETTINGS)
    (folder / "notes.md").write_text("# Mine\n\n[accuracy](second) ![curves](rates)\n", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


def test_runs_and_studies_as_objects_or_folders(place: Path, tmp_path: Path, language: str) -> None:
    out = tmp_path / "a.html"
    assert danlu.report(danlu.Study("studies/rates"), "runs/second", notes="notes.md", out=out) == out
    text = out.read_text(encoding="utf-8")
    fingerprints = [danlu.Run("runs/second").recipe.fingerprint()]
    assert all(fingerprint in text for fingerprint in fingerprints)
    assert "danlu compare --vary optim.lr=0.001,0.1 --seeds 3 data.name=iris" in text
    assert ">Mine</h1>" in text


def test_two_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    text = danlu.report("runs/first", "others/first", out=tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<h1>runs/first, others/first</h1>" in text


MISTAKES: list[tuple[tuple[Any, ...], dict[str, Any], list[tuple[str, str]]]] = [
    ((), {}, [("report.which", "STUDY")]),
    (("runs/third",), {}, [("report.no-such", "runs/third")]),
    (("first",), {}, [("report.no-such", "runs/first")]),
    (("runs",), {}, [("store.not-a-run", "runs")]),
    (("notes.md",), {}, [("store.not-a-folder", "notes.md")]),
    ((3,), {}, [("report.not-one", "int")]),
    (("runs/first", "runs/../runs/first"), {}, [("report.twice", "first")]),
    (("runs/first",), {"notes": "none.md"}, [("report.no-notes", "none.md")]),
    (("runs/first",), {"notes": "runs"}, [("files.unreadable", "runs")]),
    (("runs/first",), {"notes": "notes.md"}, [("report.unknown-item", "second"), ("report.unknown-item", "rates")]),
    (("runs/first",), {"out": "nowhere/a.html"}, [("report.no-folder", "nowhere")]),
    (("runs/first",), {"out": "a.pdf"}, [("report.not-html", "a.pdf")]),
    (
        ("runs/third", "runs/first", "runs/first"),
        {"notes": "none.md", "out": "nowhere/a.pdf"},
        [("report.no-such", "runs/third"), ("report.twice", "first"), ("report.not-html", "a.pdf"),
         ("report.no-notes", "none.md")],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "options", "wanted"), MISTAKES)
def test_mistakes_are_told_and_nothing_is_written(
    what: tuple[Any, ...], options: dict[str, Any], wanted: list[tuple[str, str]], place: Path, language: str
) -> None:
    before = sorted(os.listdir(place))
    with pytest.raises(UserError, match=r".") as caught:
        danlu.report(*what, **options)
    assert [fault.id for fault in caught.value.faults] == [phrase for phrase, _ in wanted]
    for fault, (_, word) in zip(caught.value.faults, wanted, strict=True):
        assert word in str(fault)
    assert sorted(os.listdir(place)) == before


@pytest.mark.every(8)
@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_reported(name: str, tmp_path: Path, language: str) -> None:
    run = trained(ground_of(TASKS[name], tmp_path), tmp_path / "run", epochs=1)
    text = danlu.report(run, out=tmp_path / "a.html").read_text(encoding="utf-8")
    assert text.count('class="half"') == 2
    assert 'class="proof"' in text
