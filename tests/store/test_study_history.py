"""A study or a search as its journal tells it, from the first session to the newest."""

from typing import Any

import pytest

from danlu.store.study_history import StudyHistory, StudyReplay

Line = dict[str, Any]
MEMBER: Line = {
    "kind": "member",
    "factors": {"lr": 0.1},
    "seed": 0,
    "fold": 0,
    "score": {"loss": 1.0},
    "diverged": False,
}


@pytest.mark.parametrize(
    ("records", "looks"),
    [
        ([], None),
        ([{"kind": "begin", "seeds": [0, 1]}], None),
        ([{"kind": "begin", "seeds": [0, 1]}, {"kind": "best"}], [2]),
        ([{"kind": "begin", "seeds": [0, 1]}, {"kind": "look"}], [2]),
        ([{"kind": "begin", "seeds": [0]}, {"kind": "best"}, {"kind": "begin", "seeds": [0, 1]}], None),
        # Killed behind its look, it goes on: the same seeds are looked at, and no more.
        ([*[{"kind": "begin", "seeds": [0, 1]}, {"kind": "look"}] * 2, {"kind": "best"}], [2]),
        (
            [{"kind": "begin", "seeds": [0]}, {"kind": "best"}, {"kind": "begin", "seeds": [0, 1]}, {"kind": "look"}],
            [1, 2],
        ),
        ([{"kind": "begin"}, MEMBER | {"seed": 4}, {"kind": "best"}], [1]),
        ([{"kind": "begin", "seeds": 7}, {"kind": "member", "seed": "x"}, {"kind": "best"}], [0]),
    ],
)
def test_looks_are_read_from_a_journal(records: list[dict[str, Any]], looks: list[int] | None) -> None:
    assert StudyHistory.of(records).looks == looks


def test_each_session_adds_its_seeds_and_tells_anew_what_fails() -> None:
    failed: Line = {"kind": "failed", "factors": {"lr": 0.1}, "seed": 0, "fold": 0, "reason": "out of memory"}
    impossible: Line = {"factors": {"lr": -1}, "reason": "lr must be above 0"}
    history = StudyHistory.of(
        [
            {"kind": "begin", "members": 4, "seeds": [0, 1], "failed": [impossible], "loading": 0.5},
            {"kind": "choices", "made": {"members": 16}},
            MEMBER,
            failed,
            {"kind": "done", "seconds": 2.0},
            {"kind": "begin", "members": 6, "seeds": [0, 1, 2], "failed": [], "loading": 0.25},
            {"kind": "choices", "made": {"processes": 2}},
            MEMBER | {"seed": 2, "score": {"loss": "NaN"}},
            {"kind": "done", "seconds": 1.0},
        ]
    )
    assert history.seeds == [[0, 1], [2]]
    assert (history.planned, len(history.members)) == (6, 2)
    assert (history.impossible, history.failed) == ([], [])
    assert history.choices == {"members": 16, "processes": 2}
    assert (history.seconds, history.loading, history.finished) == (3.0, 0.75, False)


def test_a_study_is_finished_until_a_session_begins() -> None:
    told: list[Line] = [{"kind": "begin"}, {"kind": "best", "factors": {"lr": 0.1}, "validation": {}, "run": "best-1"}]
    assert StudyHistory.of(told).finished
    again = StudyHistory.of([*told, {"kind": "begin"}])
    assert not again.finished
    assert again.best is not None
    assert again.best.run == "best-1"


def test_a_round_begun_twice_is_one_round() -> None:
    points = [{"lr": 0.1}, {"lr": 0.2}]
    opening: Line = {"kind": "round", "number": 1, "points": points}
    member = MEMBER | {"round": 1}
    told = [opening, member, opening, member, {"kind": "failed", "round": 1, "factors": points[1], "reason": "no"}]
    (under_way,) = StudyHistory.of(told).rounds
    (done,) = StudyHistory.of([*told, {"kind": "round-end", "number": 1, "seconds": 3.0}]).rounds
    assert (under_way.seconds, done.seconds) == (None, 3.0)
    assert (len(done.points), len(done.members), [one.reason for one in done.failed]) == (2, 2, ["no"])


def test_a_search_that_found_nothing_is_finished() -> None:
    history = StudyHistory.of([{"kind": "begin", "failed": []}, {"kind": "nothing"}])
    assert (history.finished, history.best) == (True, None)


def test_what_is_malformed_and_what_is_unknown_are_counted_apart() -> None:
    history = StudyHistory.of([{"kind": "of tomorrow"}, {"kind": "member"}, {"kind": 7}, {}, MEMBER])
    assert (history.unknown, history.skipped, len(history.members)) == (1, 3, 1)


STACK: Line = {"kind": "stack", "stack": "a", "combinations": [{"lr": 0.1}], "members": [[0, 0, 0], [0, 1, 0]]}


def epochs(numbers: list[int], train: list[list[float | None]], **more: Any) -> Line:
    return {"kind": "member-epochs", "stack": "a", "epochs": numbers, "train": train, **more}


def test_curves_hold_every_epoch_once_as_it_was_told_last() -> None:
    (curves,) = StudyHistory.of(
        [
            STACK,
            epochs([1, 2], [[4.0, 3.0], [3.0, "NaN"]]),
            {"kind": "begin"},
            STACK,
            epochs([2, 3], [[2.5, 2.0], [1.0, None]], validation={"loss": [None, [5.0, None]]}),
        ]
    ).curves
    assert curves.epochs == [1, 2, 3]
    assert curves.train == [[4.0, 3.0], [2.5, 2.0], [1.0, None]]
    assert curves.validation == {"loss": [None, None, [5.0, None]]}
    assert (curves.combinations, curves.members) == (({"lr": 0.1},), ((0, 0, 0), (0, 1, 0)))


@pytest.mark.parametrize(
    "line",
    [
        epochs([1], [[1.0]]),
        epochs([1], [[1.0, 2.0]], stack="b"),
        epochs([1, 2], [[1.0, 2.0]]),
        epochs([1], [[1.0, 2.0]], validation={"loss": [[1.0]]}),
        epochs([1], [[1.0, 2.0]], validation={"loss": []}),
        epochs([1], [[1.0, "x"]]),
        STACK | {"members": [[1, 0, 0]]},
    ],
)
def test_rows_that_are_not_of_this_stack_are_passed_over_and_counted(line: Line) -> None:
    history = StudyHistory.of([STACK, epochs([2], [[2.0, 1.0]]), line])
    assert history.skipped == 1
    assert history.curves[0].epochs == [2]


def test_what_was_told_is_not_changed_by_what_comes_later() -> None:
    replay = StudyReplay.of([STACK, epochs([1], [[2.0, 1.0]])])
    before = replay.told().curves
    replay.add(epochs([2], [[1.0, 0.5]]))
    assert before[0].epochs == [1]
    assert replay.told().curves[0].epochs == [1, 2]
