"""Schedulers in the source that wait for their turn."""

import ast

import pytest

from danlu.watch.probes.code_schedules import may_wait, waiting_scheduler
from danlu.watch.probes.code_text import SourceText

SOURCES = {
    "behind a warm-up": ("if epoch >= 10:\n    self.scheduler.step()", 2),
    "every so many steps": ("if step % 500 == 0:\n    lr_sched.step(loss)", 2),
    "deeper": ("if step > warm:\n    for one in each:\n        one.scheduler.step()", 3),
    "else": ("if step < 100:\n    pass\nelse:\n    warmup.step()", 4),
    "always": ("scheduler.step()", None),
    "left out by a flag": ("if use:\n    scheduler.step()", None),
    "one that may not be there": ("if scheduler is not None:\n    scheduler.step()", None),
    "an optimizer": ("if step % 4 == 0:\n    optimizer.step()", None),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_scheduler_that_waits(kind: str) -> None:
    source, line = SOURCES[kind]
    assert waiting_scheduler(ast.parse(source)) == line


def test_only_a_source_with_a_scheduler_is_read() -> None:
    assert may_wait(SourceText("if n > 3: scheduler.step()"))
    assert not may_wait(SourceText("if n > 3: optimizer.step()"))
    assert not may_wait(SourceText("scheduler = None"))
