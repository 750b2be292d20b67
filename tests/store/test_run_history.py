import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.base.records import Finding
from danlu.base.strict_json import to_json
from danlu.base.words import use_language
from danlu.store.journal import Journal
from danlu.store.run_history import RunHistory

Record = dict[str, Any]
START: Record = {"kind": "start", "time": "…", "epochs": 2, "steps_per_epoch": 3, "fingerprint": "3f2a"}


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


def steps(first: int, *loss: float, epoch: int = 1, norm: list[float | None] | None = None) -> Record:
    return {"kind": "steps", "first": first, "epoch": epoch, "loss": list(loss), "lr": [0.1] * len(loss), "norm": norm}


def epoch(number: int, step: int, train: float, validation: float | None = None, best: bool = False) -> Record:
    scored = None if validation is None else {"loss": validation, "accuracy": 0.5}
    return {
        "kind": "epoch", "epoch": number, "step": step, "train": {"loss": train}, "validation": scored,
        "best": best, "seconds": 1.5,
    }  # fmt: skip


def finding(since: int, rule: str = "dead-layer", where: tuple[str, ...] = ("layers.0",), **evidence: Any) -> Record:
    found = Finding(rule, "error", where, since, evidence, "title", "why", ({"change": {"net.activation": "relu"}},))
    return {"kind": "finding", **asdict(found)}


def end(step: int, reason: str = "finished") -> Record:
    score = {"train": {"loss": 0.5}, "validation": {}, "test": {"loss": 0.6, "accuracy": 0.97}}
    return {"kind": "end", "step": step, "epochs": 2, "seconds": 12.3, "reason": reason, "score": score}


def resume(step: int) -> Record:
    return {"kind": "resume", "step": step, "time": "…"}


def test_an_uninterrupted_run() -> None:
    history = RunHistory.of(
        [
            START,
            steps(1, 3.0, 2.0, norm=[1.0, None]),
            steps(3, 1.0),
            epoch(1, 3, 2.0, 1.5, best=True),
            {"kind": "checkpoint", "step": 3},
            steps(4, 0.5, 0.4, 0.3, epoch=2),
            epoch(2, 6, 0.4),
            {"kind": "something newer"},
            end(6),
        ]
    )

    assert history.steps == [1, 2, 3, 4, 5, 6]
    assert history.step_epochs == [1, 1, 1, 2, 2, 2]
    assert history.loss == [3.0, 2.0, 1.0, 0.5, 0.4, 0.3]
    assert history.lr == [0.1] * 6
    assert history.norm == [1.0, None, None, None, None, None]
    assert [(ended.epoch, ended.validation, ended.best) for ended in history.epochs] == [
        (1, {"loss": 1.5, "accuracy": 0.5}, True),
        (2, None, False),
    ]
    assert history.checkpoints == [3]
    assert history.score == {"train": {"loss": 0.5}, "test": {"loss": 0.6, "accuracy": 0.97}}
    assert (history.finished, history.seconds, history.skipped, history.unknown) == (True, 12.3, 0, 1)


def test_a_run_under_way_is_not_finished() -> None:
    history = RunHistory.of(
        [START, steps(1, 3.0), epoch(1, 1, 3.0), {"kind": "stop", "step": 1, "reason": "interrupted"}]
    )

    assert (history.finished, history.score, history.seconds) == (False, {}, 1.5)


def test_an_early_end_is_an_end() -> None:
    assert RunHistory.of([START, end(3, reason="early")]).finished


def test_what_a_resume_did_over_is_void() -> None:
    history = RunHistory.of(
        [
            START,
            steps(1, 3.0, 2.0, 1.0),
            epoch(1, 3, 2.0, 1.5),
            {"kind": "checkpoint", "step": 3},
            finding(2),
            steps(4, 9.0, 9.0, epoch=2),
            finding(4),
            {"kind": "checkpoint", "step": 5},
            steps(6, 9.0, 9.0, epoch=2),
            epoch(2, 7, 9.0),
            end(7),
            resume(5),
            resume(3),
            steps(4, 0.5, 0.4, epoch=2),
        ]
    )

    assert history.steps == [1, 2, 3, 4, 5]
    assert history.loss == [3.0, 2.0, 1.0, 0.5, 0.4]
    assert [ended.epoch for ended in history.epochs] == [1]
    assert history.checkpoints == [3]
    assert [found.since for found in history.findings] == [2]
    assert (history.finished, history.score, history.seconds) == (False, {}, 1.5)


def test_a_resume_in_the_middle_of_a_block_cuts_it() -> None:
    history = RunHistory.of([steps(1, 4.0, 3.0, 2.0, 1.0, norm=[1.0, 2.0, 3.0, 4.0]), resume(2), steps(3, 0.2)])

    assert (history.steps, history.loss, history.norm) == ([1, 2, 3], [4.0, 3.0, 0.2], [1.0, 2.0, None])


def test_a_second_start_is_a_run_from_the_beginning() -> None:
    history = RunHistory.of([START, steps(1, 4.0, 3.0), epoch(1, 2, 3.0), finding(0), finding(1), START, steps(1, 5.0)])

    assert (history.steps, history.loss, history.epochs) == ([1], [5.0], [])
    assert [found.since for found in history.findings] == [0]


def test_steps_that_come_again_count_also_where_the_resume_was_lost() -> None:
    history = RunHistory.of([steps(1, 4.0, 3.0, 2.0), epoch(1, 3, 3.0), steps(2, 0.5)])

    assert (history.steps, history.loss, history.epochs) == ([1, 2], [4.0, 0.5], [])


def test_a_validation_done_over_gives_its_epoch_once() -> None:
    history = RunHistory.of([steps(1, 4.0), epoch(1, 1, 3.0, 9.0), resume(1), epoch(1, 1, 3.0, 2.0)])

    assert [ended.validation for ended in history.epochs] == [{"loss": 2.0, "accuracy": 0.5}]
    assert history.seconds == 1.5


def test_a_finding_told_again_counts_once_with_its_newest_numbers() -> None:
    told = [finding(2, ratio=0.1), finding(2, where=("layers.1",)), finding(2, ratio=0.2), finding(3, ratio=0.3)]
    history = RunHistory.of(json.loads(to_json(record)) for record in told)

    assert [(found.where, found.since, found.evidence) for found in history.findings] == [
        (("layers.0",), 3, {"ratio": 0.3}),
    ]
    assert history.findings[0].remedies == ({"change": {"net.activation": "relu"}},)


def test_numbers_not_finite_come_back_through_the_journal(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal.jsonl") as journal:
        journal.write(steps(1, math.nan, math.inf, norm=[-math.inf, None]))
        journal.write(epoch(1, 2, math.nan, math.inf))

    history = RunHistory.read(tmp_path / "journal.jsonl")

    assert math.isnan(history.loss[0]) and history.loss[1] == math.inf
    assert history.norm == [-math.inf, None]
    assert math.isnan(history.epochs[0].train["loss"])
    assert history.epochs[0].validation == {"loss": math.inf, "accuracy": 0.5}


MALFORMED: list[Record] = [
    {"kind": "steps"},
    steps(1, 1.0) | {"lr": []},
    steps(1, 1.0) | {"loss": ["high"]},
    steps(1, 1.0) | {"norm": [1.0, 2.0]},
    {"kind": "epoch", "epoch": 1},
    epoch(1, 1, 1.0) | {"train": None},
    {"kind": "resume", "step": None},
    {"kind": "finding", "rule": "x"},
    {"kind": "end", "score": {"test": {"loss": 1.0}}},
    {"kind": "checkpoint", "step": []},
]


@pytest.mark.parametrize("record", MALFORMED)
def test_a_malformed_record_is_counted_and_changes_nothing(record: Record) -> None:
    before = [steps(1, 2.0), epoch(1, 1, 2.0), {"kind": "checkpoint", "step": 1}]

    assert RunHistory.of([*before, record]) == RunHistory(**{**vars(RunHistory.of(before)), "skipped": 1})


def test_the_smoothed_curve() -> None:
    history = RunHistory.of([steps(1, 4.0, 2.0, 0.0)])

    assert history.smoothed(0.25) == [4.0, 3.5, 2.625]
    assert history.smoothed(1.0) == history.loss
    for beta in (0.0, 1.1, math.nan):
        with pytest.raises(UserError, match="it must be above 0 and at most 1"):
            history.smoothed(beta)


def test_the_frame_has_a_row_a_step_and_scores_where_an_epoch_ends() -> None:
    history = RunHistory.of(
        [
            steps(1, 3.0, 2.0, norm=[1.0, None]),
            epoch(1, 2, 2.5, 1.5),
            steps(3, 1.0, math.nan, epoch=2),
            epoch(2, 4, 0.9),
        ]
    )

    frame = history.frame(beta=0.5)

    expected = polars.DataFrame(
        {
            "step": [1, 2, 3, 4],
            "epoch": [1, 1, 2, 2],
            "loss": [3.0, 2.0, 1.0, math.nan],
            "smoothed": [3.0, 2.5, 1.75, math.nan],
            "lr": [0.1] * 4,
            "gradient_norm": [1.0, None, None, None],
            "train_loss": [None, 2.5, None, 0.9],
            "validation_accuracy": [None, 0.5, None, None],
            "validation_loss": [None, 1.5, None, None],
        }
    )
    assert frame.equals(expected, null_equal=True) and frame.schema == expected.schema


def test_the_frame_of_an_empty_journal_has_its_columns() -> None:
    frame = RunHistory.of([]).frame()

    assert frame.shape == (0, 6)
    assert frame.schema["loss"] == polars.Float64 and frame.schema["gradient_norm"] == polars.Float64


@given(cuts=st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12)), max_size=6), block=st.integers(1, 4))
def test_any_chain_of_kills_and_resumes_tells_the_uninterrupted_story(cuts: list[tuple[int, int]], block: int) -> None:
    records: list[Record] = [START]

    def trained(after: int, until: int) -> None:
        step = after
        while step < until:
            size = min(block, until - step, 3 - step % 3)
            losses = [float(100 - each) for each in range(step + 1, step + size + 1)]
            step += size
            records.append(steps(step - size + 1, *losses, epoch=(step - 1) // 3 + 1))
            if step % 3 == 0:
                records.append(epoch(step // 3, step, float(step), float(step)))

    reached = 0
    for back_to, forward_to in cuts:
        saved = min(back_to, reached)
        records.append(resume(saved))
        reached = max(saved, forward_to)
        trained(saved, reached)
    records.append(resume(min(reached, 2)))
    trained(min(reached, 2), 12)
    plain: list[Record] = [START]
    told, records = records, plain
    trained(0, 12)

    history, wanted = RunHistory.of(told), RunHistory.of(plain)
    assert history == wanted
