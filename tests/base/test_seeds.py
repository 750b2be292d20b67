"""Everything random is a pure function of the seed and a name, and the user's own generators are left as they were."""

import random
import subprocess
import sys

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from danlu.base import seeds
from danlu.base.seeds import (
    StepSeeder,
    choose_device,
    derive,
    global_seed,
    hardware,
    has_device,
    order,
    preserved_randomness,
    sample_seed,
    stream,
)

SEEDS = st.integers(0, 2**63 - 1)


@given(SEEDS, st.text(), st.integers())
def test_a_derived_seed_has_63_bits_and_hangs_on_nothing_else(seed: int, name: str, number: int) -> None:
    derived = derive(seed, name, number)
    assert 0 <= derived < 2**63
    assert derived == derive(seed, name, number)


def test_every_seed_and_every_name_has_its_own_stream() -> None:
    derived = {derive(seed, name, epoch) for seed in range(20) for name in ("order", "step") for epoch in range(20)}
    assert len(derived) == 800


def test_derived_seeds_never_change_between_versions() -> None:
    """A run kept from an older version must go on in the same order."""
    assert derive(0, "order", 1) == 8024286156118006313
    assert order(8, seed=0, epoch=1).tolist() == [1, 3, 5, 4, 2, 0, 6, 7]


def test_another_process_derives_the_same_seed() -> None:
    program = "from danlu.base.seeds import derive; print(derive(7, 'order', 3))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(answer.stdout) == derive(7, "order", 3)


@given(st.integers(0, 200), SEEDS, st.integers(1, 100))
def test_an_order_is_a_permutation(count: int, seed: int, epoch: int) -> None:
    drawn = order(count, seed, epoch)
    assert drawn.dtype == torch.int64
    assert sorted(drawn.tolist()) == list(range(count))
    assert torch.equal(drawn, order(count, seed, epoch))


def test_orders_differ_by_epoch_and_seed() -> None:
    assert len({tuple(order(50, seed, epoch).tolist()) for seed in range(5) for epoch in range(5)}) == 25


def test_a_stream_draws_the_same_numbers_each_time() -> None:
    first, second = (torch.rand(5, generator=stream(3, "mask", 2)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, torch.rand(5, generator=stream(3, "mask", 3)))


def test_a_global_seed_holds_inside_the_block_only() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with global_seed(5, "weights"):
        inside = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with global_seed(5, "weights"):
        assert torch.equal(torch.rand(3), inside)


def test_preserved_randomness_undoes_whatever_a_block_draws() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with preserved_randomness():
        torch.manual_seed(99)
        torch.rand(100)
    assert torch.equal(torch.rand(3), expected)


def draw_of_each_generator() -> tuple[float, float, float]:
    return torch.rand(1).item(), random.random(), float(numpy.random.random())


def test_a_sample_seed_holds_for_all_three_generators_and_inside_the_block_only() -> None:
    before = torch.get_rng_state(), random.getstate(), numpy.random.get_state()
    outside = draw_of_each_generator()
    torch.set_rng_state(before[0])
    random.setstate(before[1])
    numpy.random.set_state(before[2])
    with sample_seed(5, "sample", 1):
        inside = draw_of_each_generator()
    assert draw_of_each_generator() == outside
    with sample_seed(5, "sample", 1):
        assert draw_of_each_generator() == inside
    with sample_seed(5, "sample", 2):
        assert all(one != other for one, other in zip(draw_of_each_generator(), inside, strict=True))


def test_a_sample_seed_gives_the_generators_back_after_an_error_too() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with pytest.raises(KeyError, match="broken"), sample_seed(5):
        raise KeyError("broken")
    assert torch.equal(torch.rand(3), expected)


def test_dropout_is_a_function_of_seed_and_step() -> None:
    def mask(seed: int, step: int) -> torch.Tensor:
        StepSeeder(seed, torch.device("cpu"))(step)
        return torch.nn.functional.dropout(torch.ones(200))

    with preserved_randomness():
        assert torch.equal(mask(0, 7), mask(0, 7))
        assert not torch.equal(mask(0, 7), mask(0, 8))
        assert not torch.equal(mask(0, 7), mask(1, 7))


def test_a_step_seeder_does_not_hang_on_the_steps_before() -> None:
    seeder = StepSeeder(0, torch.device("cpu"))
    with preserved_randomness():
        seeder(1)
        torch.rand(10)
        seeder(2)
        walked = torch.rand(4)
        StepSeeder(0, torch.device("cpu"))(2)
        assert torch.equal(torch.rand(4), walked)


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_step_seeder_seeds_the_device_as_well(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given_to_device: list[int] = []
    monkeypatch.setattr(getattr(torch, kind), "manual_seed", given_to_device.append)
    with preserved_randomness():
        StepSeeder(0, torch.device(kind))(3)
        assert given_to_device == [torch.initial_seed()]


def test_the_cpu_is_always_there_and_nonsense_never() -> None:
    assert has_device("cpu")
    assert not has_device("abacus")


@pytest.mark.parametrize(
    ("there", "chosen"), [({"cpu"}, "cpu"), ({"cpu", "mps"}, "mps"), ({"cpu", "cuda", "mps"}, "cuda")]
)
def test_auto_takes_the_fastest_device_there_is(there: set[str], chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "has_device", lambda name: name in there)
    assert choose_device("auto") == torch.device(chosen)
    assert choose_device("cpu") == torch.device("cpu")


def test_hardware_tells_what_decides_about_the_last_bits() -> None:
    facts = hardware(torch.device("cpu"))
    assert facts["device"] == "cpu"
    assert facts["torch"] == torch.__version__
    assert facts["threads"] == torch.get_num_threads()
    assert all(isinstance(value, str | int) for value in facts.values())
