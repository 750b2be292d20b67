"""Findings read while a journal is written: each once, in order, and until nothing more comes."""

from pathlib import Path

import pytest

from danlu.base.records import Finding
from danlu.store import finding_log
from danlu.store.finding_log import FindingLog
from danlu.store.journal import Journal
from danlu.store.records import FindingAppeared, RunEnded, RunResumed, RunStopped


def found(rule: str) -> FindingAppeared:
    return FindingAppeared(finding=Finding(rule, "error", (), 1, {}, "", ""))


def test_findings_come_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding_log, "_QUIET_SECONDS", 0.0)
    path = tmp_path / "journal.jsonl"
    log = FindingLog(path)
    assert log.new() == []
    with Journal(path) as journal:
        journal.add(found("a"))
        journal.flush()
        assert [one.rule for one in log.new()] == ["a"]
        assert not log.is_over  # somebody has the journal
        journal.add(RunStopped(step=3, reason="interrupted"))
        journal.flush()
        assert (log.new(), log.is_over) == ([], True)
        journal.add(RunResumed(step=3))
        journal.add(found("b"))
        journal.flush()
        assert ([one.rule for one in log.new()], log.is_over) == (["b"], False)
        journal.add(RunEnded(step=9, seconds=1.0, score={}))
        journal.flush()
        assert (log.new(), log.is_over) == ([], True)


def test_a_run_that_was_killed_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding_log, "_QUIET_SECONDS", 0.0)
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.add(found("a"))
    log = FindingLog(path)
    assert [one.rule for one in log.new()] == ["a"]
    assert log.is_over
