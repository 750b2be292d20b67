"""Dealing, hints and the record: nothing is overwritten, and a damaged record costs no more than itself."""

import os
from pathlib import Path

import pytest

from danlu.base.errors import UserError
from danlu.base.places import progress_file
from danlu.claims.exercise.catalogue import EXERCISES
from danlu.claims.exercise.deal import exercise
from danlu.claims.exercise.hints import next_hint
from danlu.claims.exercise.progress import SolvedExercises, aside_of


def test_the_next_one_is_the_first_unsolved_without_a_script_here(work: Path, language: str) -> None:
    first, second = list(EXERCISES)[:2]
    assert exercise().name == EXERCISES[first].file
    text = (work / EXERCISES[first].file).read_text(encoding="utf-8")
    assert text.startswith(f"# danlu exercise: {first}\n")
    assert ("检查" in text) == (language == "zh")
    assert exercise().name == EXERCISES[second].file
    SolvedExercises.read().solve("cedar", 0.99)
    assert exercise().name == EXERCISES["clover"].file
    assert exercise(level=3).name == EXERCISES[next(id for id, one in EXERCISES.items() if one.level == 3)].file


def test_nothing_is_overwritten(work: Path) -> None:
    path = exercise("amber")
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="not overwritten"):
        exercise("Amber")
    assert path.read_text(encoding="utf-8") == "mine"
    assert [entry.name for entry in work.iterdir()] == ["exercise-amber.py"]


def test_when_there_is_none_left_that_is_told(work: Path) -> None:
    for id in [id for id, one in EXERCISES.items() if one.level == 1]:
        exercise(id)
    with pytest.raises(UserError, match="script here already"):
        exercise(level=1)
    progress = SolvedExercises.read()
    for id in EXERCISES:
        progress.solve(id, 1.0)
    with pytest.raises(UserError, match="are solved"):
        exercise()


@pytest.mark.parametrize(("id", "level", "words"), [
    ("ambre", None, 'Did you mean "amber"'), (None, 4, "1 .easy"), (None, "x", "1 .easy"), (None, True, "1 .easy"),
    ("amber", 1, "both"),
])  # fmt: skip
def test_mistakes(id: str | None, level: object, words: str, work: Path) -> None:
    with pytest.raises(UserError, match=words):
        exercise(id, level=level)  # pyright: ignore[reportArgumentType]
    assert list(work.iterdir()) == []


def test_hints_come_one_by_one_and_the_last_stays(work: Path) -> None:
    told = [next_hint("basil") for _ in range(5)]
    assert [number for number, _, _ in told] == [1, 2, 3, 3, 3]
    assert len({hint for _, _, hint in told}) == 3
    assert next_hint("cedar")[0] == 1


def test_what_was_solved_is_kept_with_its_best_score_and_first_day(work: Path) -> None:
    SolvedExercises.read().solve("amber", 0.95)
    SolvedExercises.read().next_hint("basil")
    again = SolvedExercises.read()
    again.days["amber"] = "2026-01-02"
    again.solve("amber", 0.94)
    found = SolvedExercises.read()
    assert (found.solved, found.days, found.hints) == ({"amber": 0.95}, {"amber": "2026-01-02"}, {"basil": 1})


@pytest.mark.parametrize("content", [
    b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"version": 2, "solved": {}, "hints": {}}', b'{"version": 1}',
    b'{"version": 1, "solved": [], "hints": {}}', b'{"version": 1, "solved": {"amber": 3}, "hints": {}}',
    b'{"version": 1, "solved": {"amber": {"score": "x", "day": ""}}, "hints": {}}',
    b'{"version": 1, "solved": {}, "hints": {"amber": "many"}}', b"[" * 100_000,
])  # fmt: skip
def test_a_damaged_record_is_put_aside_and_told(
    content: bytes, work: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    progress_file().parent.mkdir(parents=True)
    progress_file().write_bytes(content)
    assert SolvedExercises.read().solved == {}
    assert aside_of(progress_file()).read_bytes() == content
    assert aside_of(progress_file()).name in capsys.readouterr().err
    SolvedExercises.read().solve("amber", 1.0)
    assert SolvedExercises.read().solved == {"amber": 1.0}


def test_ids_of_another_danlu_are_passed_over(work: Path) -> None:
    progress_file().parent.mkdir(parents=True)
    known = '"amber": {"score": 1, "day": "d"}'
    progress_file().write_text(
        f'{{"version": 1, "solved": {{"gone": {{}}, {known}}}, "hints": {{"gone": 2}}}}', encoding="utf-8"
    )
    assert SolvedExercises.read().solved == {"amber": 1.0}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes anywhere")
def test_a_disk_that_refuses_is_told_and_costs_no_verdict(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    progress_file().parent.mkdir(parents=True)
    progress_file().parent.chmod(0o500)
    SolvedExercises.read().solve("amber", 1.0)
    assert "exercises.json" in capsys.readouterr().err
