"""Augmentation is a function of (seed, epoch, sample): of nothing else, and for training alone."""

from collections.abc import Sequence
from typing import Any

import numpy
import PIL.Image
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.base.seeds import draw, mix, order, stream
from danlu.data import Dataset, load, memory
from danlu.data.transforms import Augmentation

CPU = torch.device("cpu")
ALL = ("crop", "flip", "rotation:20", "cutout:3")


def pictures(augment: Any = ALL, count: int = 80, **options: Any) -> Dataset:
    x = torch.randint(0, 256, (count, 3, 9, 8), dtype=torch.uint8, generator=stream(0, "x"))
    return load((x, torch.arange(count) % 2), augment=augment, validation=0.1, test=0.1, **options)


def epoch_of(data: Dataset, batch_size: int = 16, **how: Any) -> torch.Tensor:
    return torch.cat([x for x, _ in data.batches("train", batch_size, device=CPU, **{"augment": True, **how})])


@settings(max_examples=25)
@given(
    batch_size=st.integers(1, 70),
    start=st.integers(0, 6),
    chunk=st.sampled_from([1, 5_000, 2**21]),
    augment=st.lists(st.sampled_from(ALL), min_size=1, max_size=4, unique=True),
)
def test_a_picture_is_the_same_in_whatever_batch_it_comes(
    batch_size: int, start: int, chunk: int, augment: Sequence[str]
) -> None:
    data = pictures(augment)
    whole = epoch_of(data, 64, seed=1, epoch=2, shuffle=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "CHUNK_BYTES", chunk)
        rest = list(
            data.batches("train", batch_size, seed=1, epoch=2, start=start, shuffle=True, augment=True, device=CPU)
        )
    assert torch.equal(torch.cat([x for x, _ in rest]) if rest else whole[:0], whole[start * batch_size :])


def test_a_picture_is_the_same_in_whatever_order_it_comes() -> None:
    data = pictures()
    assert torch.equal(epoch_of(data, epoch=3)[order(64, 0, 3)], epoch_of(data, epoch=3, shuffle=True))


def test_every_epoch_seed_and_sample_is_drawn_anew() -> None:
    data = pictures()
    plain = epoch_of(data, augment=False)
    seen = [epoch_of(data, seed=seed, epoch=epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))]
    for pictured in seen:
        assert ((pictured != plain).flatten(1).any(1)).double().mean() > 0.95
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[2])


def test_only_training_is_augmented_and_only_where_asked_for() -> None:
    data, plain = pictures(), pictures(None)
    assert torch.equal(epoch_of(data, augment=False), epoch_of(plain))
    for part in ("validation", "test"):
        for (x, _), (same, _) in zip(
            data.batches(part, 8, augment=True, device=CPU), plain.batches(part, 8, device=CPU), strict=True
        ):
            assert torch.equal(x, same)
    assert data.facts()["augment"] == ["crop:1", "flip", "rotation:20", "cutout:3"]
    assert data.fingerprint() == plain.fingerprint()


def test_what_is_drawn_is_spread_evenly_and_neighbours_do_not_agree() -> None:
    draws = draw(torch.arange(100_000), 9, 0, "crop")
    assert (draws.min(), draws.max()) == (0, 8)
    assert (draws.bincount() / 100_000 - 1 / 9).abs().max() < 0.004
    pairs = (draws[:-1] * 9 + draws[1:]).bincount(minlength=81) / 99_999
    assert (pairs - 1 / 81).abs().max() < 0.002
    other = draw(torch.arange(100_000), 9, 0, "flip")
    assert (draws == other).double().mean() == pytest.approx(1 / 9, abs=0.005)


def test_mixing_is_splitmix64() -> None:
    """The first three numbers of the reference implementation from the seed 1234567."""
    state = 1234567
    counters = []
    for _ in range(3):
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        counters.append(state if state < 2**63 else state - 2**64)
    mixed = [number % 2**64 for number in mix(torch.tensor(counters)).tolist()]
    assert mixed == [6457827717110365317, 3203168211198807973, 9817491932198370423]


class Brighter:
    """A transform as a user writes one: a Pillow picture in, a Pillow picture out; random."""

    def __call__(self, picture: PIL.Image.Image) -> PIL.Image.Image:
        return picture.point(lambda value: min(255, value + int(torch.randint(0, 40, ()))))


@pytest.mark.parametrize("workers", [0, 2])
def test_callables_see_one_picture_each_and_are_keyed_too(workers: int) -> None:
    data = pictures(Brighter(), workers=workers)
    assert data.recipe is None
    whole = epoch_of(data, seed=1, epoch=2, shuffle=True)
    assert whole.shape == (64, 3, 9, 8)
    assert torch.equal(whole[16:], epoch_of(data, seed=1, epoch=2, start=1, shuffle=True))
    assert not torch.equal(whole, epoch_of(data, seed=1, epoch=3, shuffle=True))
    assert (whole >= epoch_of(pictures(None), seed=1, epoch=2, shuffle=True) - 1e-6).all()


def test_callables_that_make_floats_come_out_on_the_same_scale() -> None:
    def to_floats(picture: PIL.Image.Image) -> torch.Tensor:
        return torch.from_numpy(numpy.array(picture)).permute(2, 0, 1) / 255

    assert torch.allclose(epoch_of(pictures(to_floats)), epoch_of(pictures(None)), atol=1e-6)


@pytest.mark.parametrize(
    ("augment", "english", "chinese"),
    [
        (["corp"], 'data.augment: "corp" is not known; .* Did you mean "crop"', '没有 "corp"'),
        (["crop:x", "flip:2", "cutout:0"], '"crop:x": the amount must be.*\n.*"flip:2".*\n.*"cutout:0"', '"crop:x"'),
        (["crop:10", "rotation:181"], '"crop:10": the amount can be 8.*\n.*"rotation:181".* 180', "数值最大为 8"),
        ([abs, "flip"], "cannot be mixed", "不能混用"),
    ],
)
def test_what_is_no_transform_is_refused(augment: list[Any], english: str, chinese: str, language: str) -> None:
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        pictures(augment)


def test_a_callable_that_changes_the_shape_is_refused(language: str) -> None:
    data = pictures(lambda picture: picture.resize((4, 4)))
    words = {"en": r"shape \[3, 4, 4\]; it must be \[3, 9, 8\]", "zh": r"形状为 \[3, 4, 4\]"}
    with pytest.raises(UserError, match=words[language]):
        epoch_of(data)


def test_numbers_cannot_be_augmented(language: str) -> None:
    words = {"en": "data.augment is for images", "zh": "data.augment 只用于图像"}
    with pytest.raises(UserError, match=words[language]):
        load("iris", augment="flip")
    with pytest.raises(UserError, match=words[language]):
        load((torch.zeros(20, 2), torch.arange(20) % 2), augment=["flip"])


def test_usual_amounts_follow_the_size() -> None:
    made = Augmentation.of(["crop", "cutout"], (3, 32, 32))
    assert made is not None
    assert made.named == (("crop", 4), ("cutout", 16))
    assert Augmentation.of((), (3, 32, 32)) is None
