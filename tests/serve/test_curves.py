"""What a reader asks of curves is what they get; what makes no sense counts as not asked."""

from collections.abc import Iterator
from typing import Any

import pytest

from dashboard_site import RECIPE, Site, epoch_record, make_run, served, steps

STEPS = 20_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("asked")
    losses = [1.0 + (step % 97) / 97 for step in range(STEPS)]
    course = [steps(1, losses), *(epoch_record(n, n * STEPS // 4, 0.5 + 0.1 * n) for n in range(1, 5))]
    for seed in range(4):
        make_run(folder / f"run-{seed}", course, f"{RECIPE}seed = {seed}\n")
    with served(folder) as site:
        site.enter()
        yield site


def asked(site: Site, query: str = "", runs: int = 1) -> Any:
    ids = ",".join(site.id_of(f"run-{seed}") for seed in range(runs))
    return site.get(f"/api/curves?runs={ids}&lang=en&{query}").json


def lines(chart: Any) -> list[Any]:
    return [mark for mark in chart["panels"][0]["marks"] if mark["type"] == "Line"]


def test_a_stretch_has_points_of_its_own(site: Site) -> None:
    whole, part = (lines(asked(site, query)["chart"])[0] for query in ("", "low=5000&high=5600"))
    assert len(whole["xs"]) <= 800
    assert part["xs"] == list(range(4999, 5602))


def test_all_points_are_told_to_who_wants_them(site: Site) -> None:
    assert len(lines(asked(site, "most=1000000")["chart"])[0]["xs"]) == STEPS


def test_smoothing_and_axis_are_as_asked(site: Site) -> None:
    raw, smooth, _ = lines(asked(site, "smooth=500")["chart"])
    assert max(smooth["ys"]) - min(smooth["ys"]) < 0.05 < max(raw["ys"]) - min(raw["ys"])
    chart = asked(site, "axis=epoch")["chart"]
    assert chart["panels"][-1]["x"]["label"] == "epoch"
    assert lines(chart)[0]["xs"][-1] == pytest.approx(4.0)
    assert chart["asks"] == {"axes": ["step", "epoch", "time"], "sigma": pytest.approx(9.49, abs=0.01),
                             "steps": STEPS, "bands": None}  # fmt: skip


def test_runs_of_one_setting_are_bands_or_not(site: Site) -> None:
    for query, banded in (("", True), ("bands=0", False), ("bands=1", True)):
        chart = asked(site, query, runs=4)["chart"]
        assert any(mark["type"] == "Band" for mark in chart["panels"][0]["marks"]) == banded
        assert chart["asks"]["bands"] == banded


@pytest.mark.parametrize(
    "query",
    [
        "axis=nonsense",
        "smooth=x",
        "smooth=nan",
        "low=inf",
        "low=-1e999&high=",
        "most=-5",
        "most=1e99",
        "bands=2",
        "axis=",
    ],
)
def test_nonsense_counts_as_not_asked(site: Site, query: str) -> None:
    plain = "most=1e99" if query == "most=1e99" else ""
    assert lines(asked(site, query)["chart"])[1] == lines(asked(site, plain)["chart"])[1]


@pytest.mark.parametrize("query", ["low=9e9&high=9.1e9", "low=10&high=5", "smooth=-3", "smooth=1e300"])
def test_what_is_out_of_reach_is_an_answer_all_the_same(site: Site, query: str) -> None:
    assert asked(site, query)["chart"]["panels"]


def test_a_run_that_is_not_there_is_not_found(site: Site) -> None:
    assert site.get("/api/curves?runs=0123456789abcdef&lang=en").status == 404
    assert site.get("/api/curves?lang=en").status == 404


def test_what_the_reader_has_is_not_told_again(site: Site) -> None:
    version = asked(site, "smooth=20")["version"]
    id = site.id_of("run-0")
    assert site.get(f"/api/curves?runs={id}&lang=en&smooth=20&have={version}").status == 204
