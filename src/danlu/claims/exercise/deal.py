"""exercise: writes a small script with a hidden fault, to be mended."""

from pathlib import Path

from danlu.base.counts import is_whole
from danlu.base.errors import fail
from danlu.base.files import absolute, make_folder, new_file, storage_error
from danlu.base.places import shown
from danlu.base.words import say
from danlu.claims.exercise.catalogue import EXERCISES, exercise_of
from danlu.claims.exercise.exercise import Exercise, script
from danlu.claims.exercise.progress import SolvedExercises

LEVELS = (1, 2, 3)


def exercise(id: str | None = None, *, level: int | None = None, folder: str | Path = ".") -> Path:
    """Deal an exercise: `exercise-ID.py` in `folder`, a script whose training has a fault to find and mend.

    id       which one; left out, the first that is not solved yet and has no script there, the easiest first
    level    1 (easy) to 3 (hard): only those
    folder   where the script is written; nothing is ever overwritten

    Returns the script's path. UserError where there is none such, and where the script stands there already.

    >>> import tempfile
    >>> exercise("amber", folder=tempfile.mkdtemp()).name
    'exercise-amber.py'
    """
    chosen = _next(check_level(level), Path(folder)) if id is None else exercise_of(id)
    if id is not None and level is not None:
        fail("exercise.id-and-level", name=chosen.id, level=level)
    path = absolute(Path(folder)) / chosen.file
    try:
        make_folder(path.parent)
        new_file(path, script(chosen, head_of(chosen)).encode())
    except FileExistsError:
        fail("exercise.file-exists", path=shown(path))
    except OSError as error:
        raise storage_error(path, error) from error
    return path


def check_level(level: object) -> int | None:
    """The level, as it is. UserError where it is none."""
    if level is None:
        return None
    if not is_whole(level) or level not in LEVELS:
        fail("exercise.bad-level", found=level)
    return int(level)


def head_of(chosen: Exercise) -> str:
    """The comment that the script begins with, in the language in force; its first line says which exercise it is."""
    lines = say("exercise.head", file=chosen.file).splitlines()
    return "\n".join([mark_of(chosen.id), "#", *(f"# {line}".rstrip() for line in lines)])


def mark_of(id: str) -> str:
    """The line by which a script is known again, whatever its file is called.

    >>> mark_of("amber")
    '# danlu exercise: amber'
    """
    return f"# danlu exercise: {id}"


def _next(level: int | None, folder: Path) -> Exercise:
    solved = SolvedExercises.read().solved
    fitting = [one for one in EXERCISES.values() if level in (None, one.level)]
    unsolved = [one for one in fitting if one.id not in solved]
    left = [one for one in unsolved if not (folder / one.file).exists()]
    if not unsolved:
        fail("exercise.all-solved", count=len(fitting))
    if not left:
        fail("exercise.all-dealt", files=", ".join(one.file for one in unsolved))
    return left[0]
