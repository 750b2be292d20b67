"""Weights from a file of the user's: tensors only, nothing that could run."""

import re
import warnings
from pathlib import Path
from typing import Any, cast

import safetensors
import safetensors.torch
import torch

from danlu.base.errors import DanluError, fail
from danlu.base.float8 import widened
from danlu.base.input_files import guarded, refuse_irregular
from danlu.base.naming import listed


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Tensors by name from a .safetensors file, or from a .pt or .pth file that holds a dict of nothing but tensors.

    The latter are read with `torch.load(weights_only=True)` and in no other way, because a pickle can run code when
    it is read; one that wants more is a UserError that says what it asked for and how to convert it.
    """
    refuse_irregular(path)
    try:
        path.open("rb").close()
    except FileNotFoundError:
        fail("checkpoint.no-weights", path=path)
    except OSError as error:
        fail("checkpoint.unreadable", path=path, reason=error.strerror or error)
    if path.suffix == ".safetensors":
        weights = _read_safetensors(path)
    elif path.suffix in (".pt", ".pth"):
        weights = _read_torch_file(path)
    else:
        fail("checkpoint.unknown-weights", path=path, found=path.suffix or path.name)
    odd = [f"{name} ({_kind(tensor)})" for name, tensor in weights.items() if _kind(tensor)]
    if odd:
        fail("checkpoint.odd-weights", path=path, names=listed(odd, 5), count=len(odd))
    return {name: widened(tensor.detach()).clone() for name, tensor in weights.items()}


def _kind(tensor: torch.Tensor) -> str:
    """What keeps a tensor from being copied into a net: "sparse_coo", "meta" …; "" for a plain one.

    >>> _kind(torch.zeros(2)), _kind(torch.zeros(2).to_sparse()), _kind(torch.zeros(2, device="meta"))
    ('', 'sparse_coo', 'meta')
    """
    if tensor.is_meta:
        return "meta"
    if tensor.is_nested:
        return "nested"
    if tensor.is_quantized:
        return str(tensor.dtype).removeprefix("torch.")
    return "" if tensor.layout is torch.strided else str(tensor.layout).removeprefix("torch.")


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    try:
        with guarded(path):
            return safetensors.torch.load(path.read_bytes())
    except safetensors.SafetensorError as error:
        fail("checkpoint.not-safetensors", path=path, reason=error)


def _read_torch_file(path: Path) -> dict[str, torch.Tensor]:
    try:
        with warnings.catch_warnings(), guarded(path):
            warnings.simplefilter("ignore")  # torch's advice on formats; the errors below say what matters
            content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except DanluError:
        raise
    except Exception as error:  # noqa: BLE001  torch raises whatever the damaged bytes lead to
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        if asked:
            fail("checkpoint.pickle-refused", path=path, asked=asked.group(1))
        fail("checkpoint.not-torch-file", path=path, reason=type(error).__name__)
    if not isinstance(content, dict):
        fail("checkpoint.not-weights", path=path, found=type(content).__name__)
    weights = cast(dict[Any, Any], content)
    others = [str(name) for name, entry in weights.items() if not isinstance(entry, torch.Tensor)]
    if others:
        fail("checkpoint.not-only-weights", path=path, keys=listed(others, 5))
    return {str(name): tensor for name, tensor in weights.items()}
