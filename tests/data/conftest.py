"""Keeps the tests of data away from the user's own data roots and cache, and from the network."""

from pathlib import Path

import pytest

from danlu.data import fetch


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.delenv("DANLU_DATA", raising=False)
    return folder / "danlu"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No network: every address that is asked for is noted, and refused."""
    addresses: list[str] = []

    def refuse(url: str, file: fetch.RemoteFile, folder: Path) -> None:
        addresses.append(url)
        raise OSError("no network")

    monkeypatch.setattr(fetch, "download", refuse)
    return addresses
