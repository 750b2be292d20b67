"""The catalogue: every entry can be loaded offline, found, or fetched from more than one place."""

from pathlib import Path
from typing import Any

import pytest
import torch

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
    facts: dict[str, Any] = data.facts()
    assert (facts["licence"], facts["path"], facts["bundled"]) == ("CC BY 4.0", None, True)


# Task, outputs, shape of a sample (None: as the features come out), and how many samples there are altogether.
KNOWN: dict[str, tuple[str, int, tuple[int, ...] | None, int]] = {
    "digits": ("classification", 10, (1, 8, 8), 1797),
    "mnist": ("classification", 10, (1, 28, 28), 70_000),
    "fashion-mnist": ("classification", 10, (1, 28, 28), 70_000),
    "cifar10": ("classification", 10, (3, 32, 32), 13_000),
    "breast-cancer": ("classification", 2, (30,), 569),
    "wine": ("classification", 3, (13,), 178),
    "iris": ("classification", 3, (4,), 150),
    "diabetes": ("regression", 1, (10,), 442),
    "titanic": ("classification", 2, None, 891),
    "pima-diabetes": ("classification", 2, (8,), 759),
    "california-housing": ("regression", 1, None, 20_640),
    "house-prices": ("regression", 1, None, 1460),
    "names": ("classification", 18, (19,), 20_074),
    "digit-masks": ("segmentation", 11, (1, 24, 24), 898),
    "time-machine-capitals": ("tagging", 2, (40,), 944),
    "dates": ("translation", 15, (2, 29), 3000),
    "time-machine": ("language", 29, (35,), 4951),
    "wikitext-2": ("language", 12_951, (35,), 13_230),
    **dict.fromkeys(catalogue.shapes(), ("classification", 2, (2,), 600)),
}


@pytest.mark.every(4)
@pytest.mark.parametrize("name", catalogue.names())
def test_every_set_loads_by_one_word_and_tells_of_itself(name: str, data_root: Path, asked: list[str]) -> None:
    data = load(name, root=str(data_root))
    task, outputs, shape, count = KNOWN[name]
    assert (data.task, data.outputs, sum(data.sizes.values())) == (task, outputs, count)
    assert all(data.sizes.values())
    assert data.sample_shape == (shape or (len(data.facts()["features"]),))
    facts: dict[str, Any] = data.facts()
    assert facts["licence"] and facts["source"].startswith("http") and facts["title"]
    assert facts["bundled"] or str(data_root) in facts["path"]
    assert asked == []
    x, y = next(data.batches("train", 8, shuffle=True, device=torch.device("cpu")))
    assert tuple(x.shape) == (8, *data.sample_shape)
    if task == "classification":
        assert len(data.classes) == outputs
        assert (y.dtype, tuple(y.shape)) == (torch.int64, (8,))
    elif task == "regression":
        assert (y.dtype, tuple(y.shape)) == (torch.float32, (8, 1))
    elif task == "segmentation":
        assert (y.dtype, tuple(y.shape)) == (torch.int64, (8, 24, 24))
    else:
        places = x[:, 1] if task == "translation" else x
        assert (x.dtype, y.dtype, y.shape) == (torch.int64, torch.int64, places.shape)


def test_pima_is_told_to_count_its_classes_the_other_way_round(data_root: Path) -> None:
    """Women with diabetes are fewer, and have more glucose in their blood."""
    data = load("pima-diabetes", root=str(data_root), standardise=False, validation=0, test=0)
    assert [note.id for note in data.notes if note.id == "data.pima-classes"]
    x, y = next(data.batches("train", 759, device=torch.device("cpu")))
    assert (y == 0).sum() < (y == 1).sum()
    assert x[y == 0, 1].mean() > x[y == 1, 1].mean()


def test_an_unknown_name_is_refused_with_the_nearest(language: str) -> None:
    words = {
        "en": r'"mnits" is neither a data set .* nor a file that exists. Did you mean "mnist"\?',
        "zh": '"mnits" 既不是内置的数据集.*也不是存在的文件。您是不是想写 "mnist"？',
    }
    with pytest.raises(UserError, match=words[language]):
        load("mnits")
