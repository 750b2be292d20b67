"""A learner's script carried out under watch, in a process of its own: `python -m danlu.claims.exercise.trial FILE ID
SEED RESULT`. What came of it is written to RESULT as JSON; what the script prints is left to it."""

import runpy
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import Fault
from danlu.base.seeds import global_seed
from danlu.base.strict_json import to_json
from danlu.claims.exercise.catalogue import EXERCISES
from danlu.claims.exercise.exercise import NUMBERS, Exercise
from danlu.claims.exercise.samples import divided
from danlu.watch import watch

FUNCTIONS = ("build", "train", "predict")


class _MisfitError(Exception):
    """What the script gives is not what is asked of it, as a fault to be told."""

    def __init__(self, id: str, **values: Any) -> None:
        super().__init__(id)
        self.fault = Fault(id, values)


def tried(path: Path, exercise: Exercise, seed: int) -> dict[str, Any]:
    """What came of the script at `path`: its `score` on new samples and the rules that watch `found`, or the `crash` (a
    traceback of the script's own lines), or a `misfit` (the id and the values of a phrase)."""
    try:
        with global_seed(seed, "exercise", "run"):
            return _judged(runpy.run_path(str(path), run_name="exercise"), exercise, seed)
    except _MisfitError as misfit:
        return {"misfit": [misfit.fault.id, misfit.fault.values]}
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - the script is the user's: whatever it raises is shown as its own
        return {"crash": own_traceback(error, path)}


def own_traceback(error: BaseException, path: Path) -> str:
    """The traceback from the script's first line on, without those of ours that called it."""
    told = traceback.TracebackException.from_exception(error)
    frames = list(told.stack)
    first = next((at for at, frame in enumerate(frames) if frame.filename == str(path)), len(frames))
    told.stack = traceback.StackSummary.from_list(frames[first:])
    return "".join(told.format(chain=False)).rstrip()


def _judged(script: dict[str, Any], exercise: Exercise, seed: int) -> dict[str, Any]:
    missing = [name for name in FUNCTIONS if not callable(script.get(name))]
    if missing:
        raise _MisfitError("exercise.missing-functions", names=", ".join(missing))
    build, train, predict = (script[name] for name in FUNCTIONS)
    (x, y), new = divided(exercise.data, seed)
    model = build()
    if not isinstance(model, nn.Module):
        raise _MisfitError("exercise.no-module", found=type(model).__name__)
    with watch(model, shown=False) as watching:
        told = train(model, x, y)
        score = _score(predict, model, exercise, new)
    found = sorted({finding.rule for finding in watching.findings} & set(exercise.rules))
    return {"score": score, "found": found, "told": told if isinstance(told, int | float) else None}


def _score(predict: Callable[..., Any], model: nn.Module, exercise: Exercise, new: tuple[Tensor, Tensor]) -> float:
    """Accuracy, or R² where numbers are predicted, on new samples, which come in portions sorted by what they are."""
    order = new[1].argsort()
    x, y = (values[order] for values in new)
    answers = [_answers(predict(model, part.clone()), len(part)) for part in x.chunk(exercise.pieces)]
    answer = torch.cat(answers)
    if exercise.data in NUMBERS:
        return float(1 - (answer.double() - y).square().mean() / y.double().var(correction=0))
    return float((answer == y).double().mean())


def _answers(given: Any, count: int) -> Tensor:
    """One answer for each sample; scores of classes are taken for the class with the highest."""
    if not isinstance(given, Tensor) or given.dim() not in (1, 2) or len(given) != count:
        shape = list(given.shape) if isinstance(given, Tensor) else type(given).__name__
        raise _MisfitError("exercise.bad-answers", count=count, found=shape)
    given = given.detach().cpu()
    if given.dim() == 1:
        return given
    return given.argmax(1) if given.shape[1] > 1 else given.squeeze(1)


def main(tokens: list[str]) -> None:
    """Carry the script out and write what came of it."""
    path, id, seed, result = tokens
    Path(result).write_text(to_json(tried(Path(path), EXERCISES[id], int(seed))), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
