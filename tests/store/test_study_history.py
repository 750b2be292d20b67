"""A study or a search as its journal tells it, from the first session to the newest."""

from typing import Any

import pytest

from danlu.store.study_history import StudyHistory

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
