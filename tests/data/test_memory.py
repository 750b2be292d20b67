"""Batches of data in memory: the right samples in the right order, also from the middle of an epoch."""

from typing import Any

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.base.seeds import order
from danlu.data import Dataset, load, memory

CPU = torch.device("cpu")


def numbers(count: int = 103, **options: object) -> Dataset:
    x = torch.arange(count * 3, dtype=torch.float32).reshape(count, 3)
    return load((x, torch.arange(count) % 3), **options)  # type: ignore[arg-type]


def pictures(count: int = 90) -> Dataset:
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (count, 3, 5, 4), dtype=torch.uint8, generator=generator)
    return load((x, torch.arange(count) % 2), validation=0.1, test=0.1)


@pytest.mark.parametrize("make", [numbers, pictures])
def test_an_epoch_holds_every_training_sample_once_in_the_order_of_the_seed(make: object) -> None:
    data = make()  # type: ignore[operator]
    plain = list(data.batches("train", 16, device=CPU))
    mixed = list(data.batches("train", 16, seed=3, epoch=2, shuffle=True, device=CPU))
    rows = order(data.sizes["train"], 3, 2)
    for place in (0, 1):
        straight = torch.cat([batch[place] for batch in plain])
        assert torch.equal(torch.cat([batch[place] for batch in mixed]), straight[rows])
    assert len(plain) == len(mixed) == data.batch_count("train", 16) == -(-data.sizes["train"] // 16)
    assert len(plain[-1][0]) == data.sizes["train"] % 16


@settings(max_examples=30)
@given(
    start=st.integers(0, 12),
    batch_size=st.integers(1, 40),
    chunk=st.sampled_from([1, 500, 2**21]),
    shuffle=st.booleans(),
)
def test_from_the_middle_of_an_epoch_the_batches_are_bit_for_bit_the_same(
    start: int, batch_size: int, chunk: int, shuffle: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "CHUNK_BYTES", chunk)
        for data in (numbers(), pictures()):
            whole = [
                (x.clone(), y.clone(), x.data_ptr() % 64, x.stride())
                for x, y in data.batches("train", batch_size, seed=1, epoch=1, shuffle=shuffle, device=CPU)
            ]
            rest = list(data.batches("train", batch_size, seed=1, epoch=1, start=start, shuffle=shuffle, device=CPU))
            assert len(rest) == max(0, len(whole) - start)
            for (x, y), (same_x, same_y, alignment, stride) in zip(rest, whole[start:], strict=True):
                assert torch.equal(x, same_x)
                assert torch.equal(y, same_y)
                assert (x.data_ptr() % 64, x.stride()) == (alignment, stride)


def test_chunks_begin_at_fixed_places_of_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CHUNK_BYTES", 3 * 8 * 3 * 4)  # three batches of eight
    whole = list(numbers().batches("train", 8, shuffle=True, device=CPU))
    rest = list(numbers().batches("train", 8, start=4, shuffle=True, device=CPU))
    assert [x.storage_offset() for x, _ in rest] == [x.storage_offset() for x, _ in whole[4:]] != [0] * len(rest)


def test_an_unshuffled_part_of_plain_numbers_is_not_copied() -> None:
    data = numbers()
    addresses = {x.untyped_storage().data_ptr() for x, _ in data.batches("train", 16, device=CPU)}
    assert len(addresses) == 1


def test_batches_of_pictures_are_standardised_by_the_training_part_alone() -> None:
    data = pictures()
    x = torch.cat([x for x, _ in data.batches("train", 16, device=CPU)]).double()
    assert torch.allclose(x.mean((0, 2, 3)), torch.zeros(3, dtype=torch.float64), atol=1e-5)
    assert torch.allclose(x.std((0, 2, 3), correction=0), torch.ones(3, dtype=torch.float64), atol=1e-5)
    held = torch.cat([x for x, _ in data.batches("test", 16, device=CPU)])
    assert held.mean().abs() > 1e-4


def test_batches_come_in_the_type_asked_for() -> None:
    x, y = next(pictures().batches("train", 4, device=CPU, dtype=torch.float64))
    assert (x.dtype, y.dtype) == (torch.float64, torch.int64)
    quantities = load((numpy.eye(20), numpy.arange(20.0)))
    x, y = next(quantities.batches("train", 4, device=CPU))
    assert (x.dtype, y.dtype, y.shape) == (torch.float32, torch.float32, (4, 1))


def test_a_part_may_be_empty() -> None:
    data = numbers(validation=0, test=0)
    assert data.sizes == {"train": 103, "validation": 0, "test": 0}
    assert list(data.batches("validation", 8, device=CPU)) == []
    assert data.batch_count("test", 8) == 0


def test_the_fingerprint_knows_content_split_and_standardising() -> None:
    x = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
    y = torch.arange(60) % 2
    changed = x.clone()
    changed[17, 2] += 1e-4
    seen = {
        data.fingerprint()
        for data in (
            load((x, y)),
            load((changed, y)),
            load((x, 1 - y)),
            load((x, y), split_seed=1),
            load((x, y), test=0.3),
            load((x, y), standardise=False),
        )
    }
    assert len(seen) == 6
    assert load((x.clone(), y.clone())).fingerprint() == load((x, y)).fingerprint()


def test_what_the_user_does_to_the_arrays_later_does_not_reach_the_data() -> None:
    x, y = torch.zeros(30, 2), torch.arange(30) % 2
    data = load((x, y))
    before = data.fingerprint()
    x += 1
    assert data.fingerprint() == before


def test_facts_count_the_classes_of_each_part() -> None:
    facts = pictures().facts()
    assert list(facts["classes"]) == ["0", "1"]
    for counts in facts["classes"].values():
        assert sum(counts.values()) == 45
        assert counts["train"] == pytest.approx(36, abs=1)
    assert sum(counts["test"] for counts in facts["classes"].values()) == facts["sizes"]["test"] == 9
    assert len(facts["mean"]) == len(facts["std"]) == 3


def test_the_fingerprint_does_not_hang_on_how_a_mean_is_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    x = numpy.random.default_rng(0).normal(size=(500, 3)) * 1e3 + 7
    sources: list[tuple[Any, dict[str, Any]]] = [
        ((x, x.sum(1)), {"standardise": True}),
        ({"a": x[:, 0], "b": x[:, 1], "y": x.sum(1)}, {"target": "y"}),
    ]
    before = [load(source, **options).fingerprint() for source, options in sources]

    def otherwise(self: torch.Tensor, *arguments: Any, **keywords: Any) -> torch.Tensor:
        return mean(self, *arguments, **keywords) * (1 + 1e-15)

    mean = torch.Tensor.mean
    monkeypatch.setattr(torch.Tensor, "mean", otherwise)
    assert [load(source, **options).fingerprint() for source, options in sources] == before
    changed = x.copy()
    changed[3, 1] += 1e-9
    sources = [
        ((changed, x.sum(1)), {"standardise": True}),
        ({"a": x[:, 0], "b": changed[:, 1], "y": x.sum(1)}, {"target": "y"}),
    ]
    assert all(
        load(source, **options).fingerprint() != old for (source, options), old in zip(sources, before, strict=True)
    )
    assert load(sources[0][0], standardise=False).fingerprint() != load(sources[0][0], standardise=True).fingerprint()
