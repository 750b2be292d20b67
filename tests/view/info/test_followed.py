"""Samples that are followed over the epochs: learnt, forgotten, and which of them are shown."""

import pytest

import view_samples as made
from danlu.store.records import MomentTaken, SamplesFollowed
from danlu.view.figures.chart import Cells
from danlu.view.figures.moments import moment_charts
from danlu.view.info.followed import MOST_ROWS, followed, telling


def test_when_each_is_learnt_and_forgotten() -> None:
    told = followed(made.sample_run(*made.moment_records()).history)
    assert told is not None
    assert told.epochs == (1, 2, 3)
    assert [(one.sample, one.actual, one.learnt, one.forgotten) for one in told.rows] == [
        (7, "cat", None, (3,)), (5, "dog", 2, ()), (2, "cat", 1, ()),
    ]  # fmt: skip
    assert (told.samples, told.never, told.forgotten) == (3, 0, 1)
    assert told.rows[0].answers == ("cat", "cat", "dog")
    assert told.rows[0].picture is not None


def test_a_row_is_blue_where_it_is_right_and_orange_where_not() -> None:
    (panel,) = made.CHARTS["samples"]().panels
    right, wrong = (mark for mark in panel.marks if isinstance(mark, Cells))
    assert right.values[0] == [0.7, 0.6, None]
    assert wrong.values[0] == [None, None, pytest.approx(0.8)]
    assert (right.texts[0][2], wrong.texts[0][2]) == ("", "dog · 0.20"), "no cell is written in twice"
    assert [picture.lines[0] for picture in right.samples] == ["#8", "#6", "#3"]
    assert not wrong.samples


def test_numbers_are_told_by_how_far_they_are_off() -> None:
    told = followed(made.sample_run(*made.number_moments()).history)
    assert told is not None
    assert told.numbers
    assert [(one.sample, one.colours) for one in told.rows] == [(1, (-2.0, -2.0)), (0, (-1.0, -0.5))]
    (panel,) = made.chart_of_run("samples", *made.number_moments()).panels
    (cells,) = panel.marks
    assert isinstance(cells, Cells)
    assert (cells.ramp, cells.texts[0]) == ("difference", ["4", "4"])


def test_of_many_the_wrong_and_the_forgotten_are_shown_and_some_that_are_steady() -> None:
    """100 samples: 20 end wrong, 20 were forgotten on the way, 60 are right throughout."""
    first = SamplesFollowed(samples=range(100), actual=[1.0] * 100, classes=["a", "b"])
    course = {1: [1.0] * 40 + [1.0] * 60, 2: [0.0] * 40 + [1.0] * 60, 3: [0.0] * 20 + [1.0] * 80}
    moments = [MomentTaken(epoch=n, step=n, answers=answers, likely=[0.5] * 100) for n, answers in course.items()]
    chosen = telling(first, moments)
    assert len(chosen) == len(set(chosen)) == MOST_ROWS
    assert [sum(low <= one < low + size for one in chosen) for low, size in ((0, 20), (20, 20), (40, 60))] == [
        12,
        12,
        8,
    ]


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 256])
def test_as_many_are_chosen_as_there_is_room_for(count: int) -> None:
    for classes in (["a", "b"], None):
        first = SamplesFollowed(samples=range(count), actual=[1.0] * count, classes=classes)
        moment = MomentTaken(epoch=1, step=1, answers=[1.0] * count, likely=[0.5] * count)
        chosen = telling(first, [moment])
        assert len(chosen) == len(set(chosen)) == min(count, MOST_ROWS)


def test_a_moment_with_other_samples_is_passed_over() -> None:
    told = made.moment_records()
    told[2] = told[2] | {"answers": [0]}
    found = followed(made.sample_run(*told).history)
    assert found is not None
    assert found.epochs == (1, 3)
    assert followed(made.sample_run(*told[1:]).history) is None
    assert followed(made.sample_run(told[0]).history) is None


@pytest.mark.parametrize("broken", [[3], [2, 3], [1, 2, 3]])
def test_what_a_diverged_net_says_is_no_answer(broken: list[int]) -> None:
    """The largest of outputs that are no numbers is the first class: it is nobody's answer, and no mistake."""
    told = [
        one | {"answers": [0, 0, 0], "likely": [None] * 3}
        if one["kind"] == "moment" and one["epoch"] in broken
        else one
        for one in made.moment_records()
    ]
    info = made.sample_run(*told)
    found = followed(info.history)
    assert info.history.followed is not None
    for moment in info.history.moments:
        kinds = {chart.kind for chart in moment_charts(info.history.followed, moment)}
        assert ("moment-confusion" in kinds) == (moment.epoch not in broken)
    if len(broken) == 3:
        assert found is None
        return
    assert found is not None
    for row in found.rows:
        assert [row.answers[at - 1] for at in broken] == ["–"] * len(broken)
        assert not any(row.right[at - 1] for at in broken)
