"""`danlu exercise`: deal a script with a fault, judge it, give a hint, or list them all."""

import argparse

from danlu.base.errors import fail
from danlu.base.places import shown
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.claims.exercise.catalogue import EXERCISES, exercise_of
from danlu.claims.exercise.check import check_exercise
from danlu.claims.exercise.deal import exercise
from danlu.claims.exercise.hints import next_hint
from danlu.claims.exercise.progress import SolvedExercises
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.study_arguments import whole_in
from danlu.cli.words import check_one


def do_exercise(arguments: argparse.Namespace) -> Outcome:
    """Carry out the one thing that is asked for. UserError for several, and for what there is not."""
    words: list[str] = arguments.words
    check_one("exercise", words)
    asked = {"--check": arguments.check, "--hint": arguments.hint, "--list": arguments.list, "--level": arguments.level}
    given = [option for option, value in asked.items() if value not in (None, False)]
    if len(given) > 1:
        fail("exercise.one-thing", options=", ".join(given))
    if arguments.check is not None:
        if words:
            fail("exercise.check-and-id", name=words[0])
        return _checked(arguments.check, as_json=arguments.json)
    if arguments.list:
        check_one("exercise --list", ["", *words])
        return _listed()
    if arguments.hint:
        return _hinted(words)
    level = None if arguments.level is None else (whole_in(arguments.level) or arguments.level)
    path = exercise(words[0] if words else None, level=level)
    chosen = exercise_of(path.stem.removeprefix("exercise-"))
    text = say("exercise.dealt", path=shown(path), level=chosen.level)
    record = {"exercise": chosen.id, "level": chosen.level, "file": str(shown(path))}
    return Outcome(record, lambda console: print_text(console, text))


def _checked(file: str, *, as_json: bool) -> Outcome:
    attempt = check_exercise(file)
    if attempt.printed.strip() and not as_json:
        tell(attempt.printed.rstrip())
    code = 0 if attempt.solved else 1
    return Outcome(attempt.as_dict(), lambda console: print_text(console, str(attempt)), code=code)


def _hinted(words: list[str]) -> Outcome:
    if not words:
        fail("exercise.hint-which")
    number, count, hint = next_hint(words[0])
    record = {"exercise": exercise_of(words[0]).id, "number": number, "count": count, "hint": hint}
    text = say("exercise.hint", number=number, count=count, hint=hint)
    return Outcome(record, lambda console: print_text(console, text))


def _listed() -> Outcome:
    progress = SolvedExercises.read()
    rows = [
        {
            "exercise": one.id,
            "level": one.level,
            "solved": one.id in progress.solved,
            "score": progress.solved.get(one.id),
        }
        for one in EXERCISES.values()
    ]
    lines = [
        f"{one.id:10}{say('exercise.list-level', level=one.level):10}{_state(one.id, progress)}"
        for one in EXERCISES.values()
    ]
    summary = say("exercise.list-summary", solved=len(progress.solved), count=len(EXERCISES))
    return Outcome({"exercises": rows}, lambda console: print_text(console, "\n".join([*lines, "", summary])))


def _state(id: str, progress: SolvedExercises) -> str:
    if id not in progress.solved:
        return say("exercise.list-open")
    return say("exercise.list-solved", day=progress.days[id], score=f"{progress.solved[id]:.3f}")
