import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.base.seeds import stream
from danlu.train.tensor_file import pack, unpack
from danlu.train.tree import flatten, restore


def same(first: Any, second: Any) -> bool:
    """Equal in type, value, order of keys, dtype, shape and strides; NaN equals NaN."""
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        alike = first.dtype == second.dtype and first.shape == second.shape and first.stride() == second.stride()
        return alike and torch.equal(first.nan_to_num(nan=77.0), second.nan_to_num(nan=77.0))
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, float):
        return (math.isnan(first) and math.isnan(second)) or (repr(first) == repr(second))
    return first == second


tensors = st.sampled_from(
    [
        torch.tensor(1.5),
        torch.arange(6, dtype=torch.int64).reshape(2, 3),
        torch.tensor([True, False]),
        torch.zeros(0, 3),
        torch.tensor([1.0, math.nan], dtype=torch.float64),
    ]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | tensors
keys = st.integers(-3, 3) | st.sampled_from(["a", "b", "a.b", "0", "", "tensor", "dict"])
trees = st.recursive(
    leaves,
    lambda below: (
        st.lists(below, max_size=3) | st.lists(below, max_size=3).map(tuple) | st.dictionaries(keys, below, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(trees)
def test_any_nest_comes_back_as_it_was(tree: Any) -> None:
    json_tree, named = flatten(tree, "state")
    content, note = pack(named)

    assert same(restore(json_tree, unpack(content, note)), tree)


def test_names_that_would_clash_are_kept_apart() -> None:
    tree = {1: torch.tensor(1), "1": torch.tensor(2), "a.b": torch.tensor(3), "a": {"b": torch.tensor(4)}}

    json_tree, named = flatten(tree)

    assert len(named) == 4
    assert same(restore(json_tree, named), tree)


def test_names_begin_with_the_prefix() -> None:
    assert list(flatten({"state": [torch.zeros(1)]}, "optimizer")[1]) == ["optimizer.state.0"]


def test_restored_tensors_are_copies() -> None:
    original = torch.zeros(3)
    json_tree, named = flatten([original])

    restore(json_tree, named)[0].fill_(1.0)

    assert original.sum() == 0


@pytest.mark.parametrize("tree", [{"deep": [{1, 2}]}, {"deep": [object()]}, {"deep": [torch.Size([1])]}])
def test_what_json_cannot_hold_is_refused_by_place(tree: Any) -> None:
    with pytest.raises(TypeError, match=r"deep\.0 is a (set|object|Size), which a checkpoint cannot hold"):
        flatten(tree)


def test_keys_that_json_cannot_hold_are_refused() -> None:
    with pytest.raises(TypeError, match=r"state has the key \(1, 2\): keys must be int or str"):
        flatten({"state": {(1, 2): 0}})


DTYPES = [
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16,
    torch.float32, torch.float64, torch.complex64, torch.complex128,
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0, 2), (3, 4)], ids=str)
def test_every_dtype_and_shape_round_trips(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    tensor = (torch.rand(shape, generator=stream(0, "dtype")) * 100).to(dtype)

    back = unpack(*pack({"tensor": tensor}))["tensor"]

    assert back.dtype == dtype and back.shape == tensor.shape and torch.equal(back, tensor)


def test_strides_survive_because_sums_depend_on_them() -> None:
    image = torch.rand(2, 3, 4, 5, generator=stream(0, "image"))
    given = {
        "channels last": image.to(memory_format=torch.channels_last),
        "transposed": image[0, 0].T,
        "every other": image[0, 0, :, ::2],
        "expanded": torch.ones(1).expand(4),
        "conjugate": torch.tensor([1 + 2j, 3j]).conj(),
    }

    back = unpack(*pack(given))

    assert all(torch.equal(back[name], tensor) for name, tensor in given.items())
    assert back["channels last"].is_contiguous(memory_format=torch.channels_last)
    assert back["transposed"].stride() == given["transposed"].stride()


def test_names_come_back_in_their_order() -> None:
    assert list(unpack(*pack({name: torch.zeros(1) for name in ("z", "a", "m")}))) == ["z", "a", "m"]


def test_tied_weights_are_stored_once_and_tied_again() -> None:
    weight = torch.rand(50, 20, generator=stream(0, "tied"))
    content, note = pack({"encoder": weight, "middle": weight[:25], "decoder": weight, "copy": weight.clone()})

    back = unpack(content, note)

    assert note["ties"] == {"decoder": "encoder"}
    assert back["decoder"] is back["encoder"]
    assert torch.equal(back["middle"], weight[:25]) and torch.equal(back["copy"], weight)
    assert len(content) < 2.6 * weight.nbytes


def test_views_of_one_storage_are_stored_apart() -> None:
    storage = torch.arange(10.0)

    back = unpack(*pack({"low": storage[:6], "high": storage[4:]}))
    back["low"].zero_()

    assert torch.equal(back["high"], storage[4:])


def test_empty_parts_and_empty_tensors_are_no_ties() -> None:
    assert unpack(*pack({})) == {}
    content, note = pack({"one": torch.zeros(0), "two": torch.zeros(0)})
    assert note["ties"] == {} and list(unpack(content, note)) == ["one", "two"]


def test_restored_memory_is_aligned() -> None:
    back = unpack(*pack({f"weight{length}": torch.ones(length) for length in range(1, 20)}))

    assert all(tensor.data_ptr() % 16 == 0 for tensor in back.values())
    assert all(tensor.untyped_storage().nbytes() == tensor.nbytes for tensor in back.values())
