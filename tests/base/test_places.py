"""Where data lie and which language is spoken, as the environment says it."""

import locale
from pathlib import Path

import pytest

from danlu.base.places import cache_folder, data_roots, language_of_environment, progress_file, runs_folder

SPOKEN = ("DANLU_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def test_the_cache_lies_where_the_system_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "danlu"


@pytest.mark.parametrize("value", [None, ""])
def test_else_the_cache_lies_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str | None) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    if value is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache_folder() == tmp_path / ".cache" / "danlu"


def test_the_record_of_exercises_is_data_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert progress_file() == tmp_path / ".local" / "share" / "danlu" / "exercises.json"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert progress_file() == tmp_path / "data" / "danlu" / "exercises.json"


def test_data_are_looked_for_in_the_root_given_then_the_variable_then_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = tmp_path / "cache" / "danlu"
    assert data_roots() == [cache]
    monkeypatch.setenv("DANLU_DATA", "~/sets")
    assert data_roots() == [tmp_path / "sets", cache]
    assert data_roots("here") == [Path("here"), tmp_path / "sets", cache]


def test_runs_lie_under_the_working_directory() -> None:
    assert runs_folder() == Path("runs")


@pytest.mark.parametrize(
    ("variables", "spoken"),
    [
        ({"DANLU_LANG": "zh"}, "zh"),
        ({"DANLU_LANG": "ZH-Hans"}, "zh"),
        ({"DANLU_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"DANLU_LANG": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_TW.UTF-8", "LC_MESSAGES": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "zh_CN", "LC_MESSAGES": "en_US", "LANG": "en_US"}, "zh"),
        ({"LC_ALL": "C"}, "en"),
    ],
)
def test_the_environment_says_which_language(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], spoken: str
) -> None:
    for name in SPOKEN:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert language_of_environment() == spoken


@pytest.mark.parametrize(
    ("name", "spoken"), [("Chinese (Simplified)_China", "zh"), ("zh_CN", "zh"), ("German_Germany", "en"), (None, "en")]
)
def test_where_no_variable_speaks_the_system_does(
    monkeypatch: pytest.MonkeyPatch, name: str | None, spoken: str
) -> None:
    for variable in SPOKEN:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(locale, "getlocale", lambda: (name, "UTF-8"))
    assert language_of_environment() == spoken
