"""What a learner may do to a script: each is one clear answer, its own traceback where it has one, and never solved."""

from pathlib import Path

import pytest

from danlu.base.errors import UserError
from danlu.claims.exercise.catalogue import EXERCISES
from danlu.claims.exercise.check import check_exercise
from danlu.claims.exercise.exercise import script
from danlu.claims.exercise.trial import tried

AMBER = EXERCISES["amber"]
HEAD = "# danlu exercise: amber\n"
BUILD = "def build():\n    return nn.Linear(64, 10)\n"
TRAIN = "def train(model, x, y):\n    pass\n"
PREDICT = "def predict(model, x):\n    return model(x).argmax(1)\n"
IMPORTS = "import torch\nfrom torch import nn\n"


def outcome(text: str, folder: Path) -> dict[str, object]:
    path = folder / "exercise-amber.py"
    path.write_text(text, encoding="utf-8")
    return tried(path, AMBER, 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def (", "SyntaxError"),
        ("import nothing_of_this_name\n", "ModuleNotFoundError"),
        (IMPORTS + BUILD + PREDICT + "def train(model, x, y):\n    return 1 / 0\n", "ZeroDivisionError"),
        (IMPORTS + TRAIN + PREDICT + "def build():\n    raise KeyError('mine')\n", "KeyError"),
        (IMPORTS + BUILD + TRAIN + "def predict(model, x):\n    return model(x.T)\n", "RuntimeError"),
        ("raise SystemExit(3)\n", "SystemExit"),
        ("input()\n", "Error"),
        (HEAD + "def f():\n    f()\nf()\n", "RecursionError"),
    ],
)
def test_its_own_error_is_shown_as_its_own(
    text: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = str(outcome(text, tmp_path)["crash"])
    assert words in crash
    assert "runpy" not in crash
    assert "trial.py" not in crash
    if words not in ("SyntaxError", "Error"):
        assert "exercise-amber.py" in crash


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("", "exercise.missing-functions"),
        (IMPORTS + BUILD + TRAIN + "predict = 3\n", "exercise.missing-functions"),
        (IMPORTS + TRAIN + PREDICT + "def build():\n    return 3\n", "exercise.no-module"),
        (IMPORTS + BUILD + TRAIN + "def predict(model, x):\n    return 3\n", "exercise.bad-answers"),
        (IMPORTS + BUILD + TRAIN + "def predict(model, x):\n    return torch.zeros(3)\n", "exercise.bad-answers"),
        (IMPORTS + BUILD + TRAIN + "def predict(model, x):\n    return torch.zeros(())\n", "exercise.bad-answers"),
    ],
)
def test_what_does_not_fit_is_told(text: str, id: str, tmp_path: Path) -> None:
    misfit = outcome(text, tmp_path)["misfit"]
    assert isinstance(misfit, list)
    assert misfit[0] == id


def test_scores_of_classes_are_answers_too(tmp_path: Path) -> None:
    text = IMPORTS + BUILD + TRAIN + "def predict(model, x):\n    return model(x)\n"
    assert outcome(text, tmp_path) == outcome(IMPORTS + BUILD + TRAIN + PREDICT, tmp_path)


@pytest.mark.every(6)
@pytest.mark.parametrize(
    "text",
    [
        "import os\nos._exit(0)\n",
        "import time\ntime.sleep(60)\n",
        "import sys, json\nprint(json.dumps({'score': 1.0, 'found': [], 'told': None}))\nsys.exit(0)\n",
    ],
)
def test_what_does_not_come_back_is_not_solved(text: str, work: Path, language: str) -> None:
    path = work / "exercise-amber.py"
    path.write_text(HEAD + text, encoding="utf-8")
    found = check_exercise(path, seconds=20 if "sleep" not in text else 2)
    assert not found.solved
    assert found.problem or found.crash
    assert "Traceback" not in str(found) or found.crash


@pytest.mark.parametrize(("name", "text", "words"), [
    ("none.py", None, "no such script"),
    ("mine.py", "print(1)\n", "no script of an exercise"),
    ("mine.py", "# danlu exercise: ambre\n", 'Did you mean "amber"'),
])  # fmt: skip
def test_what_is_no_exercise_is_refused(name: str, text: str | None, words: str, work: Path) -> None:
    if text is not None:
        (work / name).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        check_exercise(name)
    with pytest.raises(UserError, match="not a file"):
        check_exercise(work)


@pytest.mark.slow
def test_a_script_in_bytes_that_are_no_text_is_told(work: Path) -> None:
    (work / "exercise-amber.py").write_bytes(b"\xff\xfe\x00" + script(AMBER, HEAD).encode("utf-16"))
    found = check_exercise(work / "exercise-amber.py")
    assert not found.solved
    assert found.crash
