"""Joining a Ray cluster, against a library that is made up: a head that has only just begun gets a second chance."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from danlu.base.errors import UserError
from danlu.study.cluster import ray_cluster
from danlu.study.cluster.address import ClusterAddress
from danlu.study.cluster.ray_cluster import RayCluster

ADDRESS = ClusterAddress("ray", "head", 10001)


def made_up(monkeypatch: pytest.MonkeyPatch, *, failures: int, error: Exception) -> list[str]:
    """A `ray` whose `init` fails so often; what was asked of it."""
    asked: list[str] = []

    def init(address: str, **quiet: Any) -> None:
        asked.append(address)
        if len(asked) <= failures:
            raise error

    def remote(num_cpus: int, max_retries: int) -> Callable[[Any], Any]:
        return lambda task: task

    fake = SimpleNamespace(
        init=init,
        is_initialized=lambda: False,
        shutdown=lambda: None,
        nodes=list,
        exceptions=SimpleNamespace(RayError=LookupError),
        remote=remote,
    )
    monkeypatch.setitem(sys.modules, "ray", fake)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(ray_cluster, "_BETWEEN", 0.0)
    return asked


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_head_that_answers_without_a_server_for_us_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    asked = made_up(monkeypatch, failures=failures, error=ConnectionAbortedError("Initialization failure from server"))
    RayCluster(ADDRESS)
    assert asked.count(str(ADDRESS)) == failures + 1


def test_three_times_and_then_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = made_up(monkeypatch, failures=9, error=ConnectionAbortedError("Initialization failure from server"))
    with pytest.raises(UserError, match="Initialization failure from server"):
        RayCluster(ADDRESS)
    assert asked.count(str(ADDRESS)) == 3


def test_where_nobody_answers_it_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = made_up(monkeypatch, failures=9, error=ConnectionError("ray client connection timeout"))
    with pytest.raises(UserError, match="timeout"):
        RayCluster(ADDRESS)
    assert asked == [str(ADDRESS)]
