"""A nest of plain values and tensors, such as an optimiser's `state_dict()`, to JSON and named tensors, and back.

In the JSON every dict, list and tuple is an object with one key that says which it was, so that integer keys, tuples
and lists of tensors come back as they were.
"""

from collections.abc import Mapping
from typing import Any, cast

import torch

from danlu.train.tensor_file import Tensors


def flatten(tree: Any, prefix: str = "") -> tuple[Any, dict[str, torch.Tensor]]:
    """Split `tree` into plain JSON values and its tensors by name; the names begin with `prefix`.

    It may hold dicts (keys: str or int), lists, tuples, tensors, numbers, strings, True, False and None; anything
    else is a TypeError that names the place.

    >>> flatten({"step": 3, "state": {0: torch.zeros(2)}})[0]
    {'dict': [['step', 3], ['state', {'dict': [[0, {'tensor': 'state.0'}]]}]]}
    """
    tensors: dict[str, torch.Tensor] = {}
    return _flattened(tree, prefix, tensors), tensors


def flatten_parts(parts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, torch.Tensor]]]:
    """Each part of a checkpoint split by `flatten`: the JSON values by part, and the tensors by part and name."""
    trees: dict[str, Any] = {}
    tensors: dict[str, dict[str, torch.Tensor]] = {}
    for name, tree in parts.items():
        trees[name], tensors[name] = flatten(tree)
    return trees, tensors


def restore_parts(trees: Mapping[str, Any], tensors: Mapping[str, Tensors]) -> dict[str, Any]:
    """The parts that `flatten_parts` split.

    >>> restore_parts(*flatten_parts({"weights": {"bias": torch.ones(1)}, "state": {"step": 3}}))
    {'weights': {'bias': tensor([1.])}, 'state': {'step': 3}}
    """
    return {name: restore(tree, tensors[name]) for name, tree in trees.items()}


def restore(json_tree: Any, tensors: Tensors) -> Any:
    """The tree that `flatten` split; every tensor in it is a copy of its own.

    >>> restore(*flatten((1, [None, "a"])))
    (1, [None, 'a'])
    """
    if not isinstance(json_tree, dict):
        return json_tree
    ((kind, content),) = cast(dict[str, Any], json_tree).items()
    if kind == "tensor":
        return tensors[content].detach().clone()
    if kind == "dict":
        return {key: restore(entry, tensors) for key, entry in content}
    entries = [restore(entry, tensors) for entry in content]
    return tuple(entries) if kind == "tuple" else entries


def _flattened(tree: Any, place: str, tensors: dict[str, torch.Tensor]) -> Any:
    if tree is None or type(tree) in (bool, int, float, str):
        return tree
    if isinstance(tree, torch.Tensor):
        while place in tensors:  # {1: …, "1": …} and {"a.b": …, "a": {"b": …}} give one name twice
            place += "'"
        tensors[place] = tree
        return {"tensor": place}
    if isinstance(tree, dict):
        branches = cast(dict[Any, Any], tree)
        for key in branches:
            if type(key) not in (int, str):
                raise TypeError(f"{place or 'the tree'} has the key {key!r}: keys must be int or str")
        return {"dict": [[key, _flattened(branch, _below(place, key), tensors)] for key, branch in branches.items()]}
    if type(tree) in (list, tuple):
        entries = [_flattened(entry, _below(place, index), tensors) for index, entry in enumerate(tree)]
        return {type(tree).__name__: entries}
    raise TypeError(f"{place or 'the tree'} is a {type(tree).__name__}, which a checkpoint cannot hold")


def _below(place: str, key: int | str) -> str:
    return f"{place}.{key}" if place else str(key)
