"""The contract of the rules: what one is, what it answers, and how the answer becomes a Finding."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from danlu.base.printable import printable
from danlu.base.records import CodeLine, Finding
from danlu.base.words import catalogue, language, say
from danlu.watch.measured import Measured

SEVERITIES = ("error", "warning", "advice")
"""error: it cannot learn; warning: it learns worse than it could; advice: worth knowing."""

Thresholds = Mapping[str, float]

Remedy = Mapping[str, Any] | str
"""A change of settings by dotted key, or the id of an advice."""


@dataclass(frozen=True)
class Threshold:
    """A number that a rule compares with. Its name begins with `min_` where the rule speaks from that number on, with
    `max_` where it speaks up to it; with `_warning` or `_error` at its end it decides that severity.

    `unit` is the end of a phrase's id, `rules.unit-…`; `before` the name that danlu 0.1 gave it.
    """

    value: float
    unit: str
    before: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a rule found.

    `numbers` fill the placeholders of the rule's phrases, and are the finding's evidence; `variant` chooses among
    phrases where a rule has several; `remedies` are changes to a recipe, or ids of advice. A rule of a user's has no
    phrases: its verdict says `title` and `why` itself, and its advice is a sentence. `line` is where in the user's code
    the fault lies, where the rule knows better than danlu does from `where`: one of those in what was measured;
    `in_pass` are calls, the last of which in `forward` shows the fault, and `fault_in` stands for that of the rule.
    """

    severity: str
    since: int
    numbers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    where: tuple[str, ...] = ()
    variant: str = ""
    remedies: tuple[Remedy, ...] = ()
    title: str = ""
    why: str = ""
    line: CodeLine | None = None
    in_pass: tuple[str, ...] = ()
    fault_in: str = ""


@dataclass(frozen=True)
class Rule:
    """Judges what was measured; never touches a tensor. One of your own goes to `danlu.watch(…, rules=[…])`.

    `severities` and `remedies` are all that its verdicts may carry; a change whose value follows from what was measured
    stands with None. `thresholds` are its numbers by name, which `[watch]` may change; `symptoms` are the rules that
    this one explains where both find something. `reads` says what its answer rests on, which matters where a training
    goes on in another block: the first steps, which do not come again; the net as it is now; or the curve of the loss,
    which is known whole. `needs` is what must have been seen before its silence means that nothing is wrong; needs.py
    lists what there is. `fault_in` says what of the user's code it points at: the "loss", the "whole loss" that goes
    backwards, the "loss object", its "loss weights", the "loader", the one that is "evaluated", the "module", the
    "call" of that, a "layer" in it that is made with a wrong setting, one that each "pass" makes, its "initialisation",
    the "optimizer", its "step", the "clearing" of its gradients, where a "state" is kept, its "scheduler" or that one's
    step ("schedule step"), the test before a "stepping", the call of "clip", "backward", "forward", "checkpoint",
    "train" or "evaluation", of the "averaged" net, what makes that "average", or where weights are "reloaded"; an
    "outcome" has no line, and a rule that says nothing points at the layers that its verdict names. `variants_in` says
    the same of variants of its verdict; `told_by` are calls, or patterns of their names, the likeliest first, one of
    which shows the fault where it stands alone in the class of such a layer, or beside the loader; of several
    optimisers the one is meant that has most of `optimizer_with`, an attribute of Optimiser, else the one that made
    most steps. Its verdict counts steps from the beginning of the watched block; the finding counts them from the
    beginning of the training.

    >>> def judge(measured, thresholds):
    ...     if measured.step > thresholds["min_steps"]:
    ...         return Verdict("advice", since=1, title="A long training.", why="More steps than planned.")
    >>> Rule("long", judge, thresholds={"min_steps": Threshold(100, "steps")}).numbers
    {'min_steps': 100}
    """

    id: str
    judge: Callable[[Measured, Thresholds], Verdict | None]
    reference: str = ""
    severities: tuple[str, ...] = SEVERITIES
    remedies: tuple[Remedy, ...] = ()
    thresholds: Mapping[str, Threshold] = field(default_factory=dict[str, Threshold])
    symptoms: tuple[str, ...] = ()
    reads: Literal["start", "state", "curve"] = "state"
    needs: tuple[str, ...] = ()
    fault_in: str = ""
    variants_in: Mapping[str, str] = field(default_factory=dict[str, str])
    told_by: tuple[str, ...] = ()
    optimizer_with: str = ""

    @property
    def numbers(self) -> Thresholds:
        """The values of its thresholds by name, as `judge` takes them."""
        return {name: threshold.value for name, threshold in self.thresholds.items()}


# Numbers of a verdict that are steps; all others that count steps are lengths.
_POSITIONS = ("since", "step")


def finding_of(rule: Rule, verdict: Verdict, before: int = 0) -> Finding:
    """The finding in the language in force; `before` steps were made before those that the verdict counts."""
    suffix = f"{rule.id}-{verdict.variant}" if verdict.variant else rule.id
    numbers = {name: value + before if name in _POSITIONS else value for name, value in verdict.numbers.items()}
    return Finding(
        rule=rule.id,
        severity=verdict.severity,
        where=verdict.where,
        since=verdict.since + before,
        evidence=numbers,
        title=_said(verdict.title, f"watch.title-{suffix}", numbers) or rule.id,
        why=_said(verdict.why, f"watch.why-{suffix}", numbers),
        remedies=tuple(_remedy(remedy, numbers) for remedy in verdict.remedies),
    )


def _said(own: str, phrase: str, numbers: Mapping[str, Any]) -> str:
    """A verdict's own words, or danlu's; nothing where a rule of a user's has said none."""
    if own or phrase not in catalogue(language()):
        return printable(own)
    return say(phrase, **numbers)


def _remedy(remedy: Remedy, numbers: Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(remedy, str):
        return {"advice": _said("", f"watch.remedy-{remedy}", numbers) or printable(remedy)}
    return {"change": dict(remedy)}
