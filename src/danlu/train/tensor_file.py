"""Tensors by name to the bytes of a safetensors file and back, exactly: ties, strides and order are noted beside it."""

from collections.abc import Mapping
from typing import Any

import safetensors.torch
import torch

Tensors = Mapping[str, torch.Tensor]


def pack(tensors: Tensors) -> tuple[bytes, dict[str, Any]]:
    """The bytes of a safetensors file, and a note (plain JSON) of what that format cannot hold.

    A tensor under several names (tied weights) is stored once and the other names noted. CUDA tensors come to the CPU.

    >>> weight = torch.zeros(2)
    >>> pack({"encoder": weight, "decoder": weight})[1]["ties"]
    {'decoder': 'encoder'}
    """
    stored: dict[str, torch.Tensor] = {}
    seen: dict[tuple[Any, ...], str] = {}
    note: dict[str, Any] = {"names": list(tensors), "ties": {}, "strides": {}, "complex": []}
    for name, tensor in tensors.items():
        view = (tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride(), tensor.is_conj())
        if tensor.numel() and view in seen:
            note["ties"][name] = seen[view]
            continue
        seen[view] = name
        own = tensor.detach().cpu().resolve_conj().resolve_neg()
        if own.untyped_storage().nbytes() != own.nbytes or not own.is_contiguous():
            own = own.clone()
        plain = own.contiguous()
        if own.stride() != plain.stride():
            note["strides"][name] = list(own.stride())
        if plain.is_complex():  # the format has no complex128
            note["complex"].append(name)
            plain = torch.view_as_real(plain)
        stored[name] = plain
    return safetensors.torch.save(stored), note


def unpack(content: bytes, note: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """What `pack` was given, in memory of its own; tied names share one tensor again.

    Memory of its own, because a view into the file's buffer may lie anywhere, and matrix products on it may then
    round differently.

    >>> unpack(*pack({"bias": torch.ones(2)}))
    {'bias': tensor([1., 1.])}
    """
    stored = safetensors.torch.load(content)
    own: dict[str, torch.Tensor] = {}
    for name in note["names"]:
        if name in note["ties"]:
            own[name] = own[note["ties"][name]]
            continue
        plain = stored.pop(name)
        if name in note["complex"]:
            plain = torch.view_as_complex(plain)
        strides = note["strides"].get(name, plain.stride())
        own[name] = torch.empty_strided(plain.shape, strides, dtype=plain.dtype).copy_(plain)
    return own
