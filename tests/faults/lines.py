"""Whether a finding names the line of a program where its fault was planted.

A program marks that line with `# fault`, or several where the fault stands in as many. Outside of its function the mark
says whose fault it is, `# fault: name-of-the-program`, or, in a loop that many programs share, for rules that point at
which kind of place (`fault_in`) the line is right.
"""

import functools
import inspect
from collections.abc import Iterator
from pathlib import Path

from danlu.watch.culprits import OUTCOME
from danlu.watch.rulebook import rulebook
from faults import ordinary
from faults.judge import Outcome
from faults.program import Planted

MARK = "# fault"

_BY_HAND = "the data are tensors, made by hand before the loop: the call in which they meet the net is named"
_NO_CLASS = "the net is made by a function, without a class of its own: the call of it is named"
_FORWARD = "the fault is what forward() does: the line that makes the layer, or calls the net, is named"
_OWN_LOSS = "the loss is written by hand: the backward pass of it is named"
_LOSS_OBJECT = "the loss object was not given to watch: the call of it is named"

# Programs whose finding names another line than the marked one, and why.
ELSEWHERE: dict[str, str] = {
    "two-permutations-for-one-split": _BY_HAND,
    "pixels-up-to-255": _BY_HAND,
    "divided-by-255-twice": _BY_HAND,
    "ages-left-missing": _BY_HAND,
    "integers-divided-to-zero": _BY_HAND,
    "score-of-another-draw": _OWN_LOSS,
    "logarithm-of-nought": _OWN_LOSS,
    "state-over-windows-in-any-order": _BY_HAND,
    "sigmoid-for-standardised-prices": _NO_CLASS,
    "all-weights-nought": _NO_CLASS,
    "two-samples-to-normalise-by": _BY_HAND,
    "a-head-a-hundred-times-too-large": _NO_CLASS,
    "twelve-layers-of-large-weights": _NO_CLASS,
    "tanh-units-driven-to-their-ends": _NO_CLASS,
    "biases-far-below-nought": _NO_CLASS,
    "net-that-forgets-its-input": _FORWARD,
    "a-layer-that-forward-passes-by": _FORWARD,
    "state-inside-module": _FORWARD,
    "small-gpt-without-its-mask": "the softmax of the attention is named, where the mask is missing, not its class",
    "small-gpt-normalised-over-its-queries": "the graph shows the softmax, and no line: the class of the net is named",
    "letters-of-names-and-their-padding": _LOSS_OBJECT,
    "ignore-real-class": _LOSS_OBJECT,
    "eval-drop-last": "the loader is handed to a function: the loop over it there is named",
    "one-augmented-batch-for-both-sides": _BY_HAND,
    "recipe-of-six-sigmoid-layers": "a recipe has no line of a program's own",
    "ema-slow": "the average is kept by the program's own arithmetic, of which nothing is heard",
}


def has_line(rule: str) -> bool:
    """Whether its findings name a line: what a training comes to has no single one."""
    return next(one.fault_in for one in rulebook() if one.id == rule) != OUTCOME


def line_right(program: Planted, outcome: Outcome) -> bool:
    """Whether the finding of the fault, or of a cause that is as right, names a marked line."""
    found = next((one for one in outcome.said if one.rule in {program.rule, *program.causes}), None)
    return found is not None and found.line in set(_marked(program, found.rule))


def _marked(program: Planted, rule: str) -> Iterator[tuple[str, int]]:
    function = inspect.unwrap(program.train)
    own = inspect.getsourcefile(function) or ""
    lines, first = inspect.getsourcelines(function)
    inside = range(first, first + len(lines))
    kind = (next(one.fault_in for one in rulebook() if one.id == rule) or "module").partition(" ")[0]
    for file in (own, ordinary.__file__):
        for number, text in enumerate(_lines(file), start=1):
            _, mark, words = text.partition(MARK)
            meant = words.strip(": ").split()
            here = file == own and number in inside and not meant
            if mark and (here or program.name in meant or (file == ordinary.__file__ and kind in meant)):
                yield file, number


@functools.cache
def _lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").splitlines()
