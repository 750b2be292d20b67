"""Addresses of clusters: what is one, and that no secret in one is ever repeated."""

from pathlib import Path

import pytest

import danlu
from danlu.base.errors import UserError
from danlu.claims.check import check
from danlu.study.cluster.address import ClusterAddress, without_secrets

SECRET = "hunter2-s3cret"

WITH_SECRETS = [
    f"dask://ann:{SECRET}@10.0.0.7:8786",
    f"dask://{SECRET}@10.0.0.7:8786",
    f"dask://10.0.0.7:8786?token={SECRET}",
    f"dask://10.0.0.7:8786/{SECRET}",
    f"dask://10.0.0.7:8786#{SECRET}",
    f"dask://ann:{SECRET}@@10.0.0.7",
    f"dask://ann:{SECRET}/x@10.0.0.7:8786",
    f"tls://ann:{SECRET}@scheduler.example",
    f"ray://ann:{SECRET}@10.0.0.7:10001",
    f"ray://10.0.0.7:10001?token={SECRET}",
    f"ray://10.0.0.7:10001?a=b&password={SECRET}#x",
    f"ray://:{SECRET}@[::1]:10001",
    f"http://ann:{SECRET}@10.0.0.7:8786",
    f"tcp://10.0.0.7:8786?token={SECRET}",
    f"ann:{SECRET}@10.0.0.7",
    f"ray:{SECRET}",
    f"dask://10.0.0.7:{SECRET}",
    f"dask://{SECRET} with blanks",
]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("dask://127.0.0.1:8786", "dask://127.0.0.1:8786"),
        ("dask://scheduler.example", "dask://scheduler.example:8786"),
        ("dask://[::1]:9000/", "dask://[::1]:9000"),
        ("tls://scheduler:9000", "tls://scheduler:9000"),
        ("ray://head", "ray://head:10001"),
        (" ray ", "ray"),
    ],
)
def test_addresses_are_read(typed: str, shown: str) -> None:
    assert str(ClusterAddress.read(typed)) == shown


@pytest.mark.every(4)
@pytest.mark.parametrize("typed", WITH_SECRETS)
def test_a_secret_in_an_address_is_refused_and_never_repeated(typed: str, language: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--cluster") as caught:
        danlu.compare("mlp", "iris", vary={"lr": [0.1, 1.0]}, cluster=typed, folder=tmp_path / "s")
    assert SECRET not in f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    "said", [f"tcp://ann:{SECRET}@h:1", f"ray://h:1/?token={SECRET}", f"tls://h/{SECRET}#{SECRET}"]
)
def test_what_a_library_says_is_told_without_secrets(said: str) -> None:
    told = without_secrets(f"OSError: cannot reach '{said}', tried {said} twice")
    assert SECRET not in told
    assert "://h" in told
    assert told.endswith(" twice")


@pytest.mark.parametrize(
    "typed", ["", "localhost:8786", "dask://", "dask://:8786", "dask://h:0", "dask://h:99999", "x://h"]
)
def test_what_is_no_address_is_told(typed: str) -> None:
    with pytest.raises(UserError, match="--cluster"):
        ClusterAddress.read(typed)


def test_other_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cluster is an address such as 'dask://127.0.0.1:8786'.*found int"):
        danlu.compare("mlp", "iris", vary={"lr": [0.1, 1.0]}, cluster=8786, folder=tmp_path / "s")
    with pytest.raises(UserError, match="jobs is for processes on this machine"):
        danlu.compare("mlp", "iris", vary={"lr": [0.1, 1.0]}, cluster="ray", jobs=2, folder=tmp_path / "s")
    with pytest.raises(UserError, match="--cluster"):
        check("momentum-helps", cluster="nowhere", folder=tmp_path / "s")
    with pytest.raises(UserError, match="--cluster"):
        danlu.search("mlp", "iris", space={"lr": (0.1, 1.0)}, cluster="nowhere", folder=tmp_path / "s")
    assert not (tmp_path / "s").exists()
