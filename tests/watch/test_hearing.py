"""How much of the calls is listened to, step by step."""

from typing import Any

from torch import nn

from danlu.watch.calls import INNER, OFF, OUTER, ModuleCalls
from danlu.watch.hearing import Hearing
from danlu.watch.pace import Pace
from danlu.watch.patches import Patches
from danlu.watch.schedule import usual
from danlu.watch.steps import StepPlan


class Levels(ModuleCalls):
    """Notes what is asked for."""

    def __init__(self) -> None:
        nobody: Any = None
        super().__init__({"": nn.Linear(1, 1)}, {}, nobody, Patches())
        self.level = OFF

    def listen(self, level: int) -> None:
        self.level = level


def at(step: int, *, samples: bool = False, wanted: bool = False) -> tuple[Hearing, Levels]:
    calls, plan = Levels(), StepPlan(usual, Pace())
    plan.plan(step, wanted=wanted, samples=samples)
    hearing = Hearing(calls, plan)
    hearing.plan()
    return hearing, calls


def test_what_is_heard_of_a_step() -> None:
    heard = {step: at(step)[1].level for step in (1, 4, 10, 16, 17, 30, 31, 32, 33)}
    assert heard == {1: INNER, 4: OUTER, 10: INNER, 16: OUTER, 17: OFF, 30: INNER, 31: OFF, 32: OUTER, 33: OFF}
    assert at(33, wanted=True)[1].level == at(33, samples=True)[1].level == OUTER


def test_batches_are_heard_until_they_are_collected() -> None:
    hearing, calls = at(33, samples=True)
    hearing.wake()
    assert not hearing.awake  # an evaluation is heard anyway
    hearing.collected()
    assert calls.level == OFF


def test_evaluations_that_do_not_come() -> None:
    hearing, calls = at(33)
    for _ in range(3):
        hearing.wake()
        assert calls.level == OUTER
        hearing.sleep(evaluated=False)
        assert calls.level == OFF
    hearing.wake()
    hearing.sleep(evaluated=True)
    assert calls.level == OFF
    for _ in range(4):
        hearing.wake()
        hearing.sleep(evaluated=False)
    assert calls.level == OUTER  # from now on all are heard
    hearing.plan()
    assert calls.level == OUTER


def test_the_next_step_that_is_no_ordinary_one() -> None:
    pace = Pace()
    pace.size(operations=7, tensors=4, products=22_528)  # a tiny net: one measured step in 574, the free ones aside
    plan = StepPlan(usual, pace)
    plan.plan(50, wanted=False, samples=False)
    assert plan.measuring
    plan.plan(51, wanted=False, samples=False)
    assert plan.quiet
    assert plan.next == 100
    plan.plan(101, wanted=False, samples=False)
    assert plan.next == 128
    slow = StepPlan(usual, Pace())
    slow.plan(101, wanted=False, samples=True)
    assert (slow.quiet, slow.sampling, slow.next) == (True, True, 120)
