"""Hints, one after the other."""

from danlu.base.words import say
from danlu.claims.exercise.catalogue import exercise_of
from danlu.claims.exercise.progress import SolvedExercises


def next_hint(id: str) -> tuple[int, int, str]:
    """The number of the next hint of an exercise, how many it has, and the hint; that it was told is recorded, and
    after the last one it is the last again. UserError where there is no such exercise."""
    chosen = exercise_of(id)
    number = SolvedExercises.read().next_hint(chosen.id)
    return number, chosen.hints, say(f"exercise.hint-{chosen.id}-{number}")
