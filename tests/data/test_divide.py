"""Splits by group and by time, and the note about rows that stand in two parts."""

import datetime
import re
from pathlib import Path

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.data import load
from danlu.data.divide import Keys, divide, keys_of
from danlu.data.options import Options


@given(
    groups=st.lists(st.integers(0, 40), min_size=10, max_size=200),
    validation=st.sampled_from([0.0, 0.1, 0.3]),
    test=st.sampled_from([0.0, 0.2, 0.4]),
    seed=st.integers(0, 2**62),
)
def test_no_group_stands_in_two_parts(groups: list[int], validation: float, test: float, seed: int) -> None:
    parts = 1 + (validation > 0) + (test > 0)
    assume(len(set(groups)) >= parts)
    options = Options(validation, test, seed, group=groups)
    rows = divide(len(groups), options, keys_of(options, len(groups), None), test=test)
    assert torch.equal(torch.cat(list(rows.values())).sort().values, torch.arange(len(groups)))
    members = {part: {groups[row] for row in chosen.tolist()} for part, chosen in rows.items()}
    assert not members["train"] & members["validation"]
    assert not members["train"] & members["test"]
    assert not members["validation"] & members["test"]
    assert all(len(rows[part]) for part, share in (("validation", validation), ("test", test)) if share)
    assert len(rows["train"])
    again = divide(len(groups), options, keys_of(options, len(groups), None), test=test)
    assert all(torch.equal(rows[part], again[part]) for part in rows)


def test_small_groups_come_near_to_the_shares() -> None:
    groups = torch.arange(1000) // 2
    rows = divide(1000, Options(0.1, 0.2), Keys(groups=groups), test=0.2)
    assert {part: len(chosen) for part, chosen in rows.items()} == {"train": 700, "validation": 100, "test": 200}


def test_the_last_in_time_are_held_out() -> None:
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=(7 * row) % 100) for row in range(100)]
    data = load({"day": days, "a": list(range(100)), "y": [0.5 * row for row in range(100)]}, target="y", time="day")
    assert data.sizes == {"train": 70, "validation": 10, "test": 20}
    days_of = {
        part: torch.cat([x[:, 0] for x, _ in data.batches(part, 100, device=torch.device("cpu"))])
        for part in data.sizes
    }
    assert days_of["train"].max() < days_of["validation"].min()
    assert days_of["validation"].max() < days_of["test"].min()


def test_a_group_column_is_left_out_of_the_features_and_said() -> None:
    table = {"patient": [row // 4 for row in range(80)], "a": [row * 0.1 for row in range(80)], "y": [0, 1] * 40}
    data = load(table, target="y", group="patient")
    assert data.facts()["features"] == ["a"]
    assert "data.group-left-out" in [note.id for note in data.notes]
    assert data.recipe is None
    assert sum(data.sizes.values()) == 80
    assert all(count % 4 == 0 for count in data.sizes.values())


def test_an_array_may_name_the_groups() -> None:
    x = torch.arange(40.0).unsqueeze(1)
    data = load((x, torch.arange(40) % 2), group=torch.arange(40) // 10, validation=0.25, test=0.25)
    assert data.sizes == {"train": 20, "validation": 10, "test": 10}
    for part in data.sizes:
        rows = torch.cat([x for x, _ in data.batches(part, 64, device=torch.device("cpu"))])
        assert len((rows // 10).unique()) == data.sizes[part] // 10


X, Y = torch.zeros(20, 1), torch.arange(20) % 2


@pytest.mark.parametrize(
    ("options", "english", "chinese"),
    [
        ({"group": [1, 2]}, r"group has the shape \[2\]; .* 20 samples", r"group 的形状是 \[2\]；20 个样本"),
        ({"group": "who"}, 'group names "who", which is not a column', 'group 指定的 "who" 不是这里的列'),
        ({"group": list(range(20)), "time": "rows"}, "cannot both decide", "不能同时决定"),
        ({"group": [0] * 20}, "1 groups are too few to fill 3 parts", "只有 1 个组，不足以分给 3 个部分"),
        ({"time": [None, *range(19)]}, "time: values missing: 1, the first in row 1", "time：有 1 个值缺失"),
    ],
)
def test_keys_that_do_not_fit_are_refused(
    options: dict[str, object], english: str, chinese: str, language: str
) -> None:
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        load((X + torch.arange(20).unsqueeze(1), Y), **options)  # type: ignore[arg-type]


def test_rows_that_stand_in_two_parts_are_counted_and_named(language: str) -> None:
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    x[49], x[48] = x[0], x[1]
    y = torch.arange(50) % 2
    y[49], y[48] = y[0], 1 - y[1]
    data = load((x, y), time="rows", standardise=False)
    assert [note.id for note in data.notes] == ["data.shared-rows"]
    words = {"en": "1 of the 10 samples of the test part .* 50 = 1", "zh": "测试集的 10 个样本中有 1 个.*50 = 1"}
    assert re.search(words[language], str(data.notes[0]))
    assert load((x[:48], y[:48]), time="rows", standardise=False).notes == ()


def test_columns_too_varied_to_learn_from_still_tell_rows_apart() -> None:
    table = {"name": [f"n{row}" for row in range(60)], "a": [0.5, 1.5] * 30, "y": ["no", "yes"] * 30}
    assert "data.shared-rows" not in [note.id for note in load(table, target="y").notes]
    del table["name"]
    assert "data.shared-rows" in [note.id for note in load(table, target="y").notes]


def test_fewer_samples_are_a_part_of_more_and_leave_the_other_parts() -> None:
    whole, some, few = (divide(100, Options(samples=samples), Keys(), test=0.2) for samples in (None, 40, 10))
    assert (len(some["train"]), len(few["train"])) == (40, 10)
    assert set(few["train"].tolist()) < set(some["train"].tolist()) < set(whole["train"].tolist())
    assert all(torch.equal(whole[part], few[part]) for part in ("validation", "test"))
    assert torch.equal(divide(100, Options(samples=71), Keys(), test=0.2)["train"], whole["train"])


def test_samples_of_a_running_text_are_not_counted(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("to be or not to be " * 50)
    with pytest.raises(UserError, match=r"data\.samples .*separate samples"):
        load(str(tmp_path / "book.txt"), samples=10)
    with pytest.raises(UserError, match="samples"):
        load("iris", samples=0)
