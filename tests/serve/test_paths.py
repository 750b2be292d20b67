"""What lies outside the folder that is shown is never read, however it is asked for."""

import os
from pathlib import Path

import pytest

from dashboard_site import CANARY, make_run, served

OUTSIDE = "outside-5e1b02"
WAYS_UP = [
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%252f",
    "%252e%252e%252f",
    "%25252e%25252e%25252f",
    "..\\",
    "..%5c",
    "..%255c",
    "....//",
    "..;/",
    "..%00/",
    "..%c0%af",
    "%c0%ae%c0%ae/",
    "%uff0e%uff0e/",
    ".%2e/",
    "/",
    "//",
    "%2f",
    "file:///",
]
ROUTES = [
    "/",
    "/static/",
    "/api/",
    "/api/run/",
    "/api/study/",
    "/api/run/{id}/",
    "/api/run/{id}/../",
    "/api/run/{id}/net.svg/",
]


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder that is shown, and secrets around it: above, beside, and behind links from within."""
    shown = tmp_path / "shown"
    make_run(shown / "inside")
    (tmp_path / "secret.txt").write_text(OUTSIDE)
    (tmp_path / "danlu.toml").write_text(OUTSIDE)
    for place in (tmp_path / f"shown-{OUTSIDE}", tmp_path / f"other-{OUTSIDE}"):
        make_run(place / "run", recipe=f'[data]\nname = "{OUTSIDE}"\n')
    return shown


@pytest.mark.every(4)
@pytest.mark.parametrize("way", WAYS_UP)
def test_no_way_leads_up(beside: Path, way: str) -> None:
    with served(beside) as site:
        site.enter()
        id = site.id_of("inside")
        for route in ROUTES:
            for depth in (1, 2, 6):
                for wanted in ("secret.txt", "etc/passwd", f"shown-{OUTSIDE}/run", f"shown-{OUTSIDE}/run/recipe.toml"):
                    reply = site.get(route.format(id=id) + way * depth + wanted)
                    assert reply.status == 404
                    assert reply.body == b""


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "query", ["lang=../../secret", "have=../../secret.txt", "folder=/etc", "runs=../../secret.txt", "path=/etc/passwd"]
)
def test_what_stands_behind_the_question_mark_is_no_path(beside: Path, query: str) -> None:
    with served(beside) as site:
        site.enter()
        for route in ("/api/list", f"/api/run/{site.id_of('inside')}", "/api/compare"):
            reply = site.get(f"{route}?{query}")
            assert reply.status in (200, 404)
            assert OUTSIDE.encode() not in reply.raw
            assert b"root:" not in reply.raw


def test_a_folder_whose_name_begins_alike_is_another(beside: Path) -> None:
    with served(beside) as site:
        site.enter()
        assert [row["name"] for row in site.rows()] == ["inside"]


def test_ids_are_looked_up_and_never_joined(beside: Path) -> None:
    """The id of a run beside the folder, made the way ours are, names nothing."""
    with served(beside.parent) as wide, served(beside) as narrow:
        wide.enter()
        narrow.enter()
        elsewhere = [row["id"] for row in wide.rows() if OUTSIDE in row["name"]]
        assert len(elsewhere) == 2
        for id in elsewhere:
            assert OUTSIDE.encode() in wide.get(f"/api/run/{id}").body
            run, moment = f"/api/run/{id}", f"/api/moment/{id}?at=0"
            for route in (run, f"{run}/net.svg", moment, f"/api/study/{id}", f"/api/compare?runs={id}"):
                assert narrow.get(route).status == 404
                assert narrow.get(route).body == b""


def _link(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("this system makes no links")


def test_links_out_of_the_folder_are_not_followed(beside: Path) -> None:
    outside = beside.parent / f"other-{OUTSIDE}" / "run"
    _link(beside / "linked-run", outside)
    _link(beside / "linked-parent", outside.parent)
    linked = make_run(beside / "linked-files")
    for name in ("recipe.toml", "journal.jsonl", "environment.json"):
        (linked / name).unlink()
        _link(linked / name, beside.parent / "secret.txt" if name != "recipe.toml" else outside / "recipe.toml")
    half = make_run(beside / "linked-environment")
    (half / "environment.json").unlink()
    _link(half / "environment.json", beside.parent / "secret.txt")
    with served(beside) as site:
        site.enter()
        rows = {row["name"]: row for row in site.rows()}
        assert set(rows) == {"inside", "linked-files", "linked-environment"}
        assert rows["linked-files"]["state"] == "unreadable"
        for row in rows.values():
            for route in (f"/api/run/{row['id']}", f"/api/run/{row['id']}/net.svg", f"/api/compare?runs={row['id']}"):
                assert OUTSIDE.encode() not in site.get(route).raw


def test_a_run_that_becomes_a_link_while_it_is_shown_is_gone(beside: Path) -> None:
    with served(beside) as site:
        site.enter()
        id = site.id_of("inside")
        os.rename(beside / "inside", beside / "moved")
        _link(beside / "inside", beside.parent / f"other-{OUTSIDE}" / "run")
        reply = site.get(f"/api/run/{id}")
        assert reply.status == 404
        assert reply.body == b""


def test_a_pipe_in_place_of_a_file_is_not_waited_for(beside: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes")
    for name in ("recipe.toml", "environment.json", "journal.jsonl"):
        run = make_run(beside / f"pipe-{name[:3]}")
        (run / name).unlink()
        os.mkfifo(run / name)
    with served(beside) as site:
        site.enter()
        for row in site.rows():
            assert site.get(f"/api/run/{row['id']}").status == 200


def test_the_folder_itself_may_be_reached_by_a_link(beside: Path) -> None:
    _link(beside.parent / "by-link", beside)
    with served(beside.parent / "by-link") as site:
        site.enter()
        assert [row["name"] for row in site.rows()] == ["inside"]
        assert CANARY.encode() in site.get(f"/api/run/{site.id_of('inside')}").body
