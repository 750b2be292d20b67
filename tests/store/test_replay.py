"""A run that goes on is followed without being read anew."""

import json
from pathlib import Path

from danlu.store.replay import LiveReplay
from danlu.store.run_history import RunHistory, RunReplay


def block(first: int, *losses: float) -> str:
    record = {"kind": "steps", "first": first, "epoch": 1, "loss": losses, "lr": 0.1, "norm": None}
    return json.dumps(record) + "\n"


def test_what_is_followed_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    live = LiveReplay(path, RunReplay)
    assert live.update() == RunHistory()
    told = ""
    for line in (
        block(1, 3.0, 2.0),
        block(3, 1.0)[:20],
        block(3, 1.0)[20:],
        '{"kind": "resume", "step": 2}\n',
        block(3, 9.0),
    ):
        told += line
        path.write_text(told, encoding="utf-8")
        seen = live.update()
    assert seen == RunHistory.read(path)
    assert seen.loss == [3.0, 2.0, 9.0]


def test_an_earlier_look_keeps_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    live = LiveReplay(path, RunReplay)
    path.write_text(block(1, 3.0), encoding="utf-8")
    before = live.update()
    path.write_text(block(1, 3.0) + block(2, 2.0), encoding="utf-8")
    assert live.update().loss == [3.0, 2.0]
    assert before.loss == [3.0]


def test_a_journal_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    live = LiveReplay(path, RunReplay)
    path.write_text(block(1, 3.0, 2.0, 1.0), encoding="utf-8")
    live.update()
    path.unlink()
    path.write_text(block(1, 7.0), encoding="utf-8")
    assert live.update().loss == [7.0]
