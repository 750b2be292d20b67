"""A small part of the fault suite with the ordinary tests; `make faults` runs all of it."""

from collections import Counter
from pathlib import Path

import pytest

from danlu.watch.rulebook import rulebook
from faults import data
from faults.judge import Outcome, Said, Task, astray, contradictions, first_right, found, run, unsound
from faults.lines import ELSEWHERE, has_line, line_right
from faults.program import RULES, Planted
from faults.seeds import HELD_OUT_SEEDS, TUNING_SEEDS
from faults.suite import HEALTHY, PLANTED

QUICK_HEALTHY = [name for name, program in HEALTHY.items() if program.quick]
QUICK_PLANTED = [name for name, program in PLANTED.items() if program.quick]
# Four seconds and more, or with workers that a busy machine keeps waiting: with the slow tests only.
LONG = (
    "adam-made-anew-for-every-batch", "all-weights-nought", "each-sample-takes-a-while", "nine-of-ten-units-dropped",
    "tanh-units-driven-to-their-ends", "twelve-layers-of-large-weights", "workers-copy-one-generator",
)  # fmt: skip


@pytest.fixture(autouse=True)
def real(data_root: Path) -> None:
    data.use_root(data_root)


def test_every_rule_is_tried_on_a_faulty_and_on_a_healthy_training() -> None:
    """Each quick program is run with its fault and without; so a rule that says nothing, or too much, is noticed."""
    tried = {PLANTED[name].rule for name in QUICK_PLANTED}
    assert [rule for rule in RULES if rule not in tried] == []
    assert set(RULES) == {rule.id for rule in rulebook()}
    assert len(QUICK_HEALTHY) >= 5


def test_what_takes_long_is_a_quick_program_all_the_same() -> None:
    assert set(LONG) <= set(QUICK_PLANTED)


def test_there_are_enough_programs() -> None:
    assert len(HEALTHY) >= 60
    planted = Counter(program.rule for program in PLANTED.values())
    assert [rule for rule in RULES if planted[rule] < 3] == []


def test_the_seeds_to_judge_by_are_not_those_to_tune_by() -> None:
    assert len(HELD_OUT_SEEDS) >= 3
    assert not set(HELD_OUT_SEEDS) & set(TUNING_SEEDS)


@pytest.mark.every(2)
@pytest.mark.parametrize("name", QUICK_HEALTHY)
def test_healthy_programs_learn_and_nothing_is_said_of_them(name: str) -> None:
    outcome = run(Task("healthy", name, 0))
    assert unsound([outcome]) == []
    assert outcome.loud == []
    assert contradictions(outcome) == []


@pytest.mark.every(4)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in QUICK_PLANTED]
)
def test_planted_faults_cost_something_and_are_found(name: str) -> None:
    planted, twin = (run(Task(kind, name, 0)) for kind in ("planted", "twin"))
    assert unsound([planted, twin]) == []
    assert first_right(PLANTED[name], planted)
    if has_line(PLANTED[name].rule):
        assert line_right(PLANTED[name], planted) != (name in ELSEWHERE), planted.said
    assert twin.loud == []
    assert contradictions(planted) == contradictions(twin) == []


def test_who_is_excepted_from_naming_its_line_has_one() -> None:
    """That the line of each is another one, and of all others the right one, is tried where they run."""
    assert set(ELSEWHERE) <= {name for name in QUICK_PLANTED if has_line(PLANTED[name].rule)}


def test_findings_that_exclude_each_other_are_noticed() -> None:
    together = Outcome(Task("healthy", "x", 0), 0.0, said("overfitting", "underfitting", "loss-sum"), 0.0)
    assert contradictions(together) == ["overfitting, underfitting"]


def said(*rules: str, severity: str = "warning") -> tuple[Said, ...]:
    return tuple(Said(rule, severity, "") for rule in rules)


def test_the_judgement() -> None:
    program = Planted(
        "x", lambda: 0.0, "dead-relu", frozenset({"lr-too-high"}), frozenset({"plateau"}), costs=None, remedy=False
    )

    def outcome(*findings: Said) -> Outcome:
        return Outcome(Task("planted", "x", 0), 0.0, findings, 0.0)

    assert not found(program, outcome())
    assert not first_right(program, outcome())
    symptom_first = outcome(*said("plateau", "dead-relu"))
    assert found(program, symptom_first)
    assert not first_right(program, symptom_first)
    assert first_right(program, outcome(*said("lr-too-high")))
    assert astray(program, outcome(*said("dead-relu", "plateau", "loss-sum"))) == list(said("loss-sum"))
    assert astray(program, outcome(*said("loss-sum", severity="advice"))) == []
