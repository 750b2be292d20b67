"""Training loops under danlu.watch that once were ended, misread or left unseen: each is run as it stands, and says the
right thing.

A loop prints what it saw; the table holds what must and what must not stand in that, by the name of its file.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest

import preloaded


class Right(NamedTuple):
    """Regular expressions over all that a loop prints, on both streams."""

    said: tuple[str, ...] = ()
    unsaid: tuple[str, ...] = ()


_UNHARMED = ("Traceback", "could not measure", "Error: ")

LOOPS: dict[str, Right] = {
    "save_and_copy_the_model": Right(said=(r"(?s)((?:(?!: fine\n).)*: fine\n){20}",)),
    "exports_within": Right(said=(r"(?s)((?:(?!: fine\n).)*: fine\n){32}",), unsaid=("'error'", "'warning'")),
    "meta_pass": Right(
        said=("without: 60 steps seen; .'softmax-twice'", "with a meta pass: 60 steps seen; .'softmax-twice'")
    ),
    "scalar_first_argument": Right(said=(r"\[(?!.*(lr-too|bad-init|input-)).*\]",)),
    "sparse_input": Right(said=(r"\[\]",)),
    "wrapped_optimizer": Right(
        said=(
            r"rate 0.001 wrapped: .*steps of the optimisers: \[320\]",
            r"rate 1.0 wrapped: .*lr-too-high.*steps of the optimisers: \[320\]",
            r"rate 1.0 plain: .*lr-too-high.*steps of the optimisers: \[320\]",
        ),
        unsaid=("scheduler-misuse",),
    ),
    "foreign_optimizer_not_given": Right(
        said=("'no-update', 'error', \"the optimizer's 200 steps changed none of this network's weights",),
        unsaid=("not one step",),
    ),
    "functional_training": Right(
        said=(
            r"torch.func: (99|100) steps, 100 backward passes \| ✖ softmax-twice",
            r"autograd.grad: 100 steps, 100 backward passes \| ✖ softmax-twice",
            r"autograd.grad and an optimiser: 100 steps, 100 backward passes \| ✖ softmax-twice",
        ),
        unsaid=("no-update", "gradients-accumulate", "no problems found"),
    ),
    "two_heads": Right(said=(r"^\[\] \w+\(kind='binary'",)),
    "layers_in_a_list": Right(
        said=(
            r"optimizer not given \[\('parameters-not-optimized', 'warning', \"an optimizer trains 4 [^\"]*\"\), ",
            (
                r"optimizer given \[\('parameters-not-optimized', 'warning', \"an optimizer trains 4 [^\"]*\"\)"
                r"(, \('too-few-epochs', 'advice'.*)?\]\n"
            ),
        ),
        unsaid=("no-update",),
    ),
    "reinforce": Right(said=(r"(\d reward .* \[\]\n){5}",)),
    "sampling_inside": Right(said=(r"0 \[\]\n1 \[\]\n2 \[\]",)),
    "still_and_falling": Right(said=(r"0.0005 \[\]\n0.001 \[\]",)),
    "lbfgs_steps": Right(
        said=tuple(f"step {n} of the optimiser; watch counts {n} and {n}" for n in range(1, 7)),
        unsaid=("'no-update'", "'lr-too-high'"),
    ),
}


@pytest.mark.every(16)
@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_is_seen_as_it_is(name: str, cases_root: Path) -> None:
    script = cases_root / "loops" / f"{name}.py"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DANLU_LANG": "en"}
    done = preloaded.run([str(script)], env=environment)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    for pattern in LOOPS[name].said:
        assert re.search(pattern, told), f"{pattern!r} is not in\n{told}"
    for pattern in (*_UNHARMED, *LOOPS[name].unsaid):
        assert not re.search(pattern, told), f"{pattern!r} is in\n{told}"
