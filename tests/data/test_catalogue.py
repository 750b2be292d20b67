"""The catalogue: every entry can be loaded offline, found, or fetched from more than one place."""

from typing import Any

import pytest

from danlu.base.errors import UserError
from danlu.data import catalogue, load


@pytest.mark.parametrize("name", catalogue.names())
def test_an_entry_tells_its_licence_and_where_it_comes_from(name: str) -> None:
    entry = catalogue.entry(name)
    assert (entry.name, bool(entry.title), bool(entry.licence)) == (name, True, True)
    assert entry.page.startswith("http")


@pytest.mark.parametrize("name", [name for name in catalogue.names() if catalogue.entry(name).mirrors])
def test_what_is_fetched_has_a_hash_and_several_mirrors(name: str) -> None:
    entry = catalogue.entry(name)
    assert len(entry.mirrors) >= 2
    assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in entry.mirrors)
    for file in entry.files:
        algorithm, _, value = file.known_hash.partition(":")
        assert (algorithm, len(value)) in (("md5", 32), ("sha1", 40))
    # What was fetched into the cache, or put into a folder of the data set's name, is found there.
    assert any(layout.split("/")[0] == name for layout in entry.layouts)


def test_digits_ship_with_scikit_learn_and_are_the_default(asked: list[str]) -> None:
    data = load()
    assert (data.name, data.sizes) == ("digits", {"train": 1258, "validation": 180, "test": 359})
    assert (data.task, data.classes, data.sample_shape) == ("classification", tuple("0123456789"), (1, 8, 8))
    assert data.fingerprint() == load("digits").fingerprint()
    assert asked == []
    facts: dict[str, Any] = load("digits", standardise=False).facts()
    assert (facts["mean"], facts["std"], facts["licence"]) == ([0.0], [1.0], "CC BY 4.0")


def test_an_unknown_name_is_refused_with_the_nearest(language: str) -> None:
    words = {
        "en": r'"mnits" is neither a data set .* nor a file that exists. Did you mean "mnist"\?',
        "zh": '"mnits" 既不是内置的数据集.*也不是存在的文件。您是不是想写 "mnist"？',
    }
    with pytest.raises(UserError, match=words[language]):
        load("mnits")
