"""The moments of a run: where they lie on its curves, and what is shown of each."""

import json
from typing import Any

import pytest

import view_samples as made
from danlu.base.strict_json import to_json
from danlu.view.figures.chart import Heatmap, Pictures, Points
from danlu.view.figures.moments import moment_charts
from danlu.view.moments_page import moment_page, moment_places
from danlu.view.paper.draw import draw_chart
from danlu.view.report import run_report

TEXTS = [{"kind": "text", "epoch": n, "step": 20 * n, "prompt": "the", "text": f" end {n}"} for n in (1, 3)]


def test_places_are_those_of_the_curves() -> None:
    places = moment_places(made.sample_run(*made.moment_records()))
    assert [one["label"] for one in places] == ["epoch 1", "epoch 2", "epoch 3"]
    assert places[1]["at"] == {"step": 40, "epoch": 2.0, "time": 2.0}


def test_a_moment_lies_where_its_weights_lay_on_a_surface_that_was_recorded(language: str) -> None:
    way = {"path": [(-4.0, 1.0, 9.0), (0.0, 2.0, 4.0), (2.0, 3.0, 1.0)], "path_steps": [0, 40, None]}
    surface = made.bowl().record().to_json() | way
    run = made.sample_run(*made.moment_records(), surface)
    found = {
        number: [chart for chart in moment_page(run, number)["charts"] if chart["kind"] == "moment-contour"]
        for number in range(3)
    }
    places = [[(mark["xs"], mark["ys"]) for mark in chart["panels"][0]["marks"] if mark["type"] == "Points"]
              for number in (0, 1) for chart in found[number]]  # fmt: skip
    assert places == [[([-2.0], [1.5])], [([0.0], [2.0])]], "in a straight line between two checkpoints, and on one"
    assert [bool(chart.get("notes")) for number in (0, 1) for chart in found[number]] == [True, False]
    assert found[2] == [], "of step 60 nothing was kept"


def test_the_report_has_what_the_page_has_of_each_moment() -> None:
    run = made.sample_run(*made.moment_records())
    english, _, rest = run_report(run).partition('<div class="half" lang="zh-CN"')
    shared = json.loads(block(rest, "shared"))

    def whole(value: Any) -> Any:
        if isinstance(value, dict):
            return shared[value["$"]] if value.keys() == {"$"} else {key: whole(one) for key, one in value.items()}
        return [whole(one) for one in value] if isinstance(value, list) else value

    told = whole(json.loads(block(english, "moments")))
    places = moment_places(run)
    assert told == [json.loads(to_json(place | moment_page(run, at))) for at, place in enumerate(places)]
    assert len(json.loads(block(rest, "moments"))) == len(places)


def block(page: str, kind: str) -> str:
    return page.partition(f'class="{kind}-data">')[2].partition("</script>")[0]


def test_a_moment_has_scores_mistakes_boundary_and_filters(language: str) -> None:
    told = moment_page(made.sample_run(*made.moment_records()), 1)
    assert [chart["kind"] for chart in told["charts"]] == ["moment-confusion", "moment-boundary", "moment-filters"]
    assert [number for _, number in told["numbers"]] == ["0.6000", "0.8000"]
    assert told["text"] is None
    json.loads(to_json(told), parse_constant=pytest.fail)


def test_the_confusion_is_that_of_the_moment() -> None:
    run = made.sample_run(*made.moment_records())
    texts = [moment_page(run, at)["charts"][0]["panels"][0]["marks"][0]["texts"][0][0] for at in (0, 1, 2)]
    assert texts == ["8", "9", "10"]


def test_a_regression_shows_residuals() -> None:
    (chart,) = moment_page(made.sample_run(*made.number_moments()), 1)["charts"]
    points = chart["panels"][0]["marks"][0]
    assert (chart["kind"], points["xs"], points["ys"]) == ("moment-residuals", [1.5, 4.0], [-0.5, -2.0])


def test_the_boundary_has_a_line_and_the_samples_of_each_class() -> None:
    history = made.sample_run(*made.moment_records()).history
    _, boundary, filters = moment_charts(history.followed, history.moments[0])
    heights, *points = boundary.panels[0].marks
    assert isinstance(heights, Heatmap)
    assert heights.contours[0][0] == 0.5
    assert heights.contours[0][1][0] == (0.5, 0.0)
    assert [mark.xs for mark in points if isinstance(mark, Points)] == [[0.1, 0.3], [0.9]]
    assert isinstance(filters.panels[0].marks[0], Pictures)
    assert all(draw_chart(chart, ".svg") for chart in (boundary, filters))


def test_what_a_language_model_wrote_goes_by_the_same_moments() -> None:
    run = made.sample_run(*TEXTS)
    assert [one["label"] for one in moment_places(run)] == ["epoch 1", "epoch 3"]
    assert moment_page(run, 1)["text"] == ["the", " end 3"]
    both = made.sample_run(*TEXTS, *made.moment_records())
    assert [moment_page(both, at)["text"][1] for at in (0, 1, 2)] == [" end 1", " end 1", " end 3"]


def test_a_run_without_moments_has_none() -> None:
    assert moment_places(made.sample_run()) == []
    for number in (-1, 0):
        with pytest.raises(KeyError, match=str(number)):
            moment_page(made.sample_run(), number)
