"""`pytest --danlu`: every test in which an optimizer steps is watched, and fails on what cannot learn.

pytest finds this file by itself; without the option nothing of danlu's is loaded but its sentences.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import pytest

from danlu.base.finding_text import finding_lines
from danlu.base.records import SEVERITIES, Finding
from danlu.base.words import say
from danlu.run import script

_LEVELS = ("error", "warning", "never")
_WATCHED = "danlu-watched-steps"
_FAILED = "danlu-failed"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two options."""
    group = parser.getgroup("danlu", say("cli.pytest-group"))
    group.addoption("--danlu", action="store_true", help=say("cli.pytest-option"))
    group.addoption("--danlu-fail", choices=_LEVELS, default=_LEVELS[0], help=say("cli.pytest-option-fail"))


def pytest_configure(config: pytest.Config) -> None:
    """Watch, where that is asked for."""
    config.addinivalue_line("markers", f"danlu_silence(*rules): {say('cli.pytest-marker')}")
    if config.getoption("danlu"):
        config.pluginmanager.register(TestWatcher(str(config.getoption("danlu_fail"))), "danlu-tests")


class TestWatcher:
    """Watches setup and call of each test; `level` is the least severity that fails a test."""

    __test__ = False

    def __init__(self, level: str) -> None:
        self._failing = () if level == "never" else SEVERITIES[: SEVERITIES.index(level) + 1]
        self._everywhere: Any = None
        self._silence: Sequence[str] = ()
        self._torch = self._running = False
        self._tests = self._failed = 0
        script.when_imported("torch", self._torch_is_there)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """The fixtures of a test."""
        return (yield from self._watched(item, "setup"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """The test itself."""
        return (yield from self._watched(item, "call"))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count; with several processes the reports of all come by in the one that tells."""
        if report.when == "teardown":
            facts: Mapping[str, Any] = dict(report.user_properties)
            self._tests += _WATCHED in facts
            self._failed += _FAILED in facts

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """How many tests were watched: where none trains, silence says nothing."""
        phrase = "cli.pytest-summary" if self._tests else "cli.pytest-summary-none"
        terminalreporter.write_line(say(phrase, tests=self._tests, failed=self._failed))

    def _torch_is_there(self) -> None:
        self._torch = True
        if self._running:
            self._enter()

    def _enter(self) -> None:
        def begin(models: Mapping[str, Any], optimizers: Sequence[Any]) -> Any:
            return script.Watch(models, list(optimizers), shown=False, silence=self._silence)

        self._everywhere = script.Everywhere(begin).__enter__()

    def _watched(self, item: pytest.Item, when: str) -> Generator[None, Any, Any]:
        marks = list(item.iter_markers("danlu_silence"))
        if any(not mark.args for mark in marks):
            return (yield)
        self._silence = [rule for mark in marks for rule in mark.args]
        if self._silence:
            script.check_rules(self._silence, {}, ())
        self._running = True
        if self._torch:
            self._enter()
        try:
            answer = yield
        except BaseException as error:
            _note(item, when, self._leave(item, error))
            raise
        found = self._leave(item, None)
        grave = [finding for finding in found if finding.severity in self._failing]
        _note(item, when, [finding for finding in found if finding not in grave])
        if grave:
            item.user_properties.append((_FAILED, len(grave)))
            pytest.fail(_text(grave), pytrace=False)
        return answer

    def _leave(self, item: pytest.Item, failed: BaseException | None) -> list[Finding]:
        self._running, everywhere, self._everywhere = False, self._everywhere, None
        if everywhere is None:
            return []
        everywhere.__exit__(type(failed) if failed else None, failed, None)
        if everywhere.steps:
            item.user_properties.append((_WATCHED, everywhere.steps))
        return [finding for watch in everywhere.watches for finding in watch.findings]


def _note(item: pytest.Item, when: str, found: Sequence[Finding]) -> None:
    """Put findings into a section of their own, which pytest shows where the test fails."""
    if found:
        item.add_report_section(when, "danlu", _text(found))


def _text(found: Sequence[Finding]) -> str:
    return "\n".join(line for one in found for line in finding_lines(one))
