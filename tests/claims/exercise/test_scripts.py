"""Every exercise: as dealt it does not pass, mended it does; the text that is dealt gives nothing away."""

import re
from pathlib import Path

import pytest

from danlu.base.words import LANGUAGES, catalogue
from danlu.claims.exercise.catalogue import EXERCISES
from danlu.claims.exercise.check import Attempt, check_exercise
from danlu.claims.exercise.deal import head_of
from danlu.claims.exercise.exercise import Exercise, script
from danlu.claims.exercise.samples import divided
from danlu.claims.exercise.trial import tried
from danlu.watch.rulebook import rulebook

MENDED = Path(__file__).parent / "mended"
QUICK = ("amber", "juniper", "poppy")
EACH = [pytest.param(one, marks=() if one.id in QUICK else pytest.mark.slow, id=one.id) for one in EXERCISES.values()]


def attempt(exercise: Exercise, folder: Path, body: str | None, seed: int) -> Attempt:
    """What came of a script, in this process."""
    path = folder / exercise.file
    path.write_text(script(exercise, head_of(exercise), body), encoding="utf-8")
    found = tried(path, exercise, seed)
    assert found.keys() == {"score", "found", "told"}, found
    return Attempt(exercise, found["score"], len(found["found"]), found["told"])


@pytest.mark.every(2)
@pytest.mark.parametrize("exercise", EACH)
def test_as_dealt_it_does_not_pass_and_mended_it_does(exercise: Exercise, tmp_path: Path) -> None:
    mended = (MENDED / f"{exercise.id}.txt").read_text(encoding="utf-8")
    for seed in (1,) if exercise.id in QUICK else (1, 2, 3):
        assert not attempt(exercise, tmp_path, None, seed).solved
        after = attempt(exercise, tmp_path, mended, seed)
        assert after.solved, after


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda one: one.id)
def test_each_is_told_in_full_and_gives_nothing_away(exercise: Exercise) -> None:
    known = {rule.id for rule in rulebook()}
    assert set(exercise.rules) <= known
    assert exercise.level in (1, 2, 3)
    assert (exercise.honest is not None) or exercise.rules
    for language in LANGUAGES:
        phrases = catalogue(language)
        hints = [phrases[f"exercise.hint-{exercise.id}-{number}"] for number in range(1, exercise.hints + 1)]
        assert len(set(hints)) == 3
        assert not any(rule in hint for rule in known for hint in hints[:2]), "the rule is named last"
    dealt = script(exercise, head_of(exercise))
    assert not [rule for rule in known if rule in dealt or rule.replace("-", "_") in dealt]
    assert not re.search(r"fault|bug|fixme|todo", dealt, re.IGNORECASE)
    compile(dealt, exercise.file, "exec")


def test_there_are_enough_on_every_level() -> None:
    levels = [one.level for one in EXERCISES.values()]
    assert len(levels) >= 12
    assert levels == sorted(levels)
    assert all(levels.count(level) >= 3 for level in (1, 2, 3))


@pytest.mark.parametrize("name", ["digits", "noisy-digits", "wine", "diabetes", "rings"])
def test_another_seed_divides_otherwise_and_the_same_one_alike(name: str) -> None:
    (x, y), (x_new, _) = divided(name, 1)
    (again, _), _ = divided(name, 1)
    (other, _), _ = divided(name, 2)
    assert (x == again).all()
    assert not (x == other).all()
    assert len(x) == len(y)
    assert x.shape[1:] == x_new.shape[1:]


def test_the_script_runs_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import runpy

    path = tmp_path / "exercise-poppy.py"
    path.write_text(script(EXERCISES["poppy"], head_of(EXERCISES["poppy"])), encoding="utf-8")
    runpy.run_path(str(path), run_name="__main__")
    assert "R² on new samples" in capsys.readouterr().out


@pytest.mark.slow
def test_a_file_is_judged_in_a_process_of_its_own_and_recorded(work: Path) -> None:
    exercise = EXERCISES["poppy"]
    path = work / "mine.py"
    path.write_text(script(exercise, head_of(exercise)), encoding="utf-8")
    assert not check_exercise(path).solved
    assert not (work.parent / "share").exists()
    mended = (MENDED / "poppy.txt").read_text(encoding="utf-8")
    path.write_text(script(exercise, head_of(exercise), mended), encoding="utf-8")
    found = check_exercise(path)
    assert found.solved, found
    assert "poppy" in (work.parent / "share" / "danlu" / "exercises.json").read_text(encoding="utf-8")
