"""Folds: every sample in one of them, classes even, groups whole, nothing measured outside the training part."""

from pathlib import Path

import numpy
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.data import Dataset, load
from danlu.data.folds import assign_folds
from danlu.data.text.corpus import CorpusDataset

CPU = torch.device("cpu")


@given(count=st.integers(2, 200), folds=st.integers(2, 12), seed=st.integers(0, 2**62))
def test_folds_differ_by_one_sample_and_the_seed_decides(count: int, folds: int, seed: int) -> None:
    assume(folds <= count)
    assigned = assign_folds(count, folds, seed)
    sizes = assigned.bincount(minlength=folds)
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 1
    assert torch.equal(assigned, assign_folds(count, folds, seed))


@given(labels=st.lists(st.integers(0, 4), min_size=5, max_size=150), folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_a_class_is_spread_over_the_folds_within_one_sample(labels: list[int], folds: int, seed: int) -> None:
    classes = torch.tensor(labels)
    assigned = assign_folds(len(labels), folds, seed, labels=classes)
    for group in (slice(None), *(classes == label for label in classes.unique())):
        sizes = assigned[group].bincount(minlength=folds)
        assert sizes.max() - sizes.min() <= 1


@given(groups=st.lists(st.integers(0, 30), min_size=4, max_size=120), folds=st.integers(2, 4), labelled=st.booleans())
def test_a_group_lies_in_one_fold_and_no_fold_is_empty(groups: list[int], folds: int, labelled: bool) -> None:
    members = torch.tensor(groups)
    assume(len(set(groups)) >= folds)
    labels = torch.arange(len(groups)) % 2 if labelled else None
    assigned = assign_folds(len(groups), folds, 0, labels=labels, groups=members)
    assert set(assigned.tolist()) == set(range(folds))
    for group in set(groups):
        assert len(assigned[members == group].unique()) == 1


def test_groups_of_one_size_fill_the_folds_evenly() -> None:
    groups = torch.arange(120) // 4
    assert assign_folds(120, 5, 1, groups=groups).bincount().tolist() == [24] * 5


@pytest.mark.parametrize("folds", [0, 1, 11])
def test_a_wrong_number_of_folds_is_refused(folds: int, language: str) -> None:
    words = {"en": f"{folds} folds are asked for; .* 2 to 10", "zh": f"要求分成 {folds} 折.*2 到 10"}
    with pytest.raises(UserError, match=words[language]):
        assign_folds(10, folds, 0)


def test_more_folds_than_groups_are_refused(language: str) -> None:
    words = {"en": "only 2 groups", "zh": "只有 2 个组"}
    with pytest.raises(UserError, match=words[language]):
        assign_folds(10, 3, 0, groups=torch.arange(10) % 2)


def rows_of(data: Dataset, part: str) -> set[float]:
    return {float(value) for x, _ in data.batches(part, 64, device=CPU) for value in x[:, 0]}


def numbered(count: int = 60) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.arange(count, dtype=torch.float32).unsqueeze(1), torch.arange(count) % 3


def test_folds_of_a_dataset_share_the_test_part_and_cover_the_rest_once() -> None:
    data = load(numbered(), split_seed=3, standardise=False)
    folds = list(data.folds(4, repeats=2, seed=9))
    assert len(folds) == 8
    for fold in folds:
        assert rows_of(fold, "test") == rows_of(data, "test")
        assert not rows_of(fold, "train") & rows_of(fold, "validation")
    rest = rows_of(data, "train") | rows_of(data, "validation")
    for repeat in (folds[:4], folds[4:]):
        held = [rows_of(fold, "validation") for fold in repeat]
        assert set.union(*held) == rest
        assert sum(map(len, held)) == len(rest)
    assert rows_of(folds[0], "validation") != rows_of(folds[4], "validation")
    assert len({fold.fingerprint() for fold in folds}) == 8


def test_a_fold_measures_on_its_own_training_part() -> None:
    x = torch.arange(40.0).unsqueeze(1)
    for fold in load((x, numpy.arange(40.0)), standardise=True, test=0.25).folds(3):
        train = torch.cat([x for x, _ in fold.batches("train", 64, device=CPU)])
        y = torch.cat([y for _, y in fold.batches("train", 64, device=CPU)])
        for values in (train, y):
            assert values.mean().abs() < 1e-6
            assert values.std(correction=0) == pytest.approx(1.0, abs=1e-6)


def test_a_fold_of_a_table_knows_only_its_own_categories() -> None:
    kinds = ["a"] * 19 + ["rare"] + ["b"] * 20
    table = {"kind": kinds, "size": list(range(100, 140)), "y": ["no", "yes"] * 20}
    folds = list(load(table, target="y", test=0).folds(4))
    known = ["kind = rare" in fold.facts()["features"] for fold in folds]
    assert sorted(known) == [False, True, True, True]


def test_leaving_one_out() -> None:
    folds = list(load(numbered(12), test=0.25).leave_one_out())
    assert len(folds) == 9
    assert all(fold.sizes == {"train": 8, "validation": 1, "test": 3} for fold in folds)
    assert len(set.union(*(rows_of(fold, "validation") for fold in folds))) == 9


def test_a_fold_can_be_loaded_again_by_its_recipe() -> None:
    fold = list(load("iris").folds(5, repeats=2, seed=4))[7]
    assert fold.recipe is not None
    assert (fold.recipe.name, fold.recipe.fold) == ("iris", (2, 5))
    again = load("iris", fold=fold.recipe.fold, fold_seed=fold.recipe.fold_seed)
    assert again.fingerprint() == fold.fingerprint()
    assert again.recipe == fold.recipe


def test_an_official_validation_part_joins_the_folds() -> None:
    pools = {
        part: torch.utils.data.TensorDataset(torch.full((count, 1), value), torch.arange(count) % 2)
        for part, count, value in (("train", 20, 1.0), ("validation", 10, 2.0), ("test", 6, 3.0))
    }
    folds = list(load(pools, standardise=False).folds(3))
    assert all(fold.sizes == {"train": 20, "validation": 10, "test": 6} for fold in folds)
    assert any(2.0 in rows_of(fold, "train") for fold in folds)


@pytest.mark.parametrize(
    "options", [{}, {"group": [row // 5 for row in range(60)]}, {"time": "rows"}, {"fold": (1, 4)}], ids=str
)
def test_a_refit_trains_on_all_but_the_test_part(options: dict[str, object]) -> None:
    data = load(numbered(), split_seed=3, standardise=False, **options)  # type: ignore[arg-type]
    whole = data.refit()
    assert not whole.sizes["validation"]
    assert rows_of(whole, "test") == rows_of(data, "test")
    assert rows_of(whole, "train") == rows_of(data, "train") | rows_of(data, "validation")
    fold = next(whole.folds(4, seed=9))
    assert rows_of(fold, "validation") == rows_of(next(data.folds(4, seed=9)), "validation")


def test_a_refit_can_be_loaded_again_by_its_recipe() -> None:
    for data in (load("iris"), load("iris", fold=(2, 5), fold_seed=4)):
        recipe = data.refit().recipe
        assert recipe is not None
        assert (recipe.refit, recipe.fold, recipe.fold_seed) == (True, None, None)
        assert load(recipe.name, refit=True).fingerprint() == data.refit().fingerprint()
    fold = next(load("iris", refit=True).folds(3))
    assert fold.recipe is not None
    assert fold.recipe.refit is None


def test_a_refit_takes_an_official_validation_part_too() -> None:
    pools = {
        part: torch.utils.data.TensorDataset(torch.full((count, 1), value), torch.arange(count) % 2)
        for part, count, value in (("train", 20, 1.0), ("validation", 10, 2.0), ("test", 6, 3.0))
    }
    whole = load(pools, refit=True, standardise=False)
    assert whole.sizes == {"train": 30, "validation": 0, "test": 6}
    assert rows_of(whole, "train") == {1.0, 2.0}


def test_a_refit_of_a_text_goes_on_to_its_test_part(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("abcdefghij" * 60)
    data = load(tmp_path / "book.txt", steps=5)
    whole = data.refit()
    assert isinstance(data, CorpusDataset)
    assert isinstance(whole, CorpusDataset)
    assert whole.sizes["validation"] == 0
    assert torch.equal(whole.corpora["train"], torch.cat([data.corpora["train"], data.corpora["validation"]]))
    assert torch.equal(whole.corpora["test"], data.corpora["test"])


def test_folds_in_time_train_on_what_came_before() -> None:
    data = load(numbered(60), time="rows", test=0.2)
    for place, fold in enumerate(data.folds(3)):
        assert fold.sizes == {"train": 12 * (place + 1), "validation": 12, "test": 12}
        assert max(rows_of(fold, "train")) < min(rows_of(fold, "validation"))
        assert max(rows_of(fold, "validation")) < min(rows_of(fold, "test"))


def test_a_fold_that_is_none_is_refused(language: str) -> None:
    words = {"en": "fold is 5 of 5", "zh": "第 5 折、共 5 折"}
    with pytest.raises(UserError, match=words[language]):
        load("iris", fold=(5, 5))


def test_a_loader_of_its_own_order_has_no_folds(language: str) -> None:
    class Endless(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield from ((torch.zeros(2), 0), (torch.ones(2), 1))

    words = {"en": "cannot be split by group, time or fold", "zh": "无法按 group、time 或 fold 划分"}
    with pytest.raises(UserError, match=words[language]):
        next(load(Endless()).folds(2))


def test_a_table_on_disk_is_read_once_for_all_its_folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,y\n" + "".join(f"{row * 1.5},{row % 2}\n" for row in range(40)), encoding="utf-8")
    data = load(path, target="y")
    opened: list[Path] = []
    really_open = Path.open
    monkeypatch.setattr(Path, "open", lambda self, mode: opened.append(self) or really_open(self, mode))
    assert len(list(data.folds(4))) == 4
    assert opened == [path]
