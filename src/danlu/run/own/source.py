"""What a user hands in as code, known again after an interruption: a name, and a hash of the source."""

import functools
import hashlib
import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from danlu.base.errors import fail
from danlu.base.places import shown
from danlu.store.run_folder import RunFolder

_PLAIN = (bool, int, float, str, bytes, tuple, type(None))


def name_of(given: Any) -> str:
    """What the code is called.

    >>> name_of(print), name_of(functools.partial(print))
    ('print', 'print')
    """
    if isinstance(given, functools.partial):
        return name_of(given.func)
    return str(getattr(given, "__name__", type(given).__name__))


def source_hash(given: Any, *more: str) -> str:
    """16 hex digits of the source, or of the code where there is no source, with the plain values that it closes over,
    and of `more`; of what torch brings along, its name: another version of torch is no other function.
    """
    return hashlib.sha256("\n".join([*_parts(given), *more]).encode()).hexdigest()[:16]


def facts_of(given: Any, *more: str) -> dict[str, str]:
    """Name and hash, as a run's folder keeps them."""
    return {"name": name_of(given), "source": source_hash(given, *more)}


def refuse_other(before: Mapping[str, Any] | None, key: str, own: Mapping[str, str] | None, place: RunFolder) -> None:
    """UserError where a run had a `key` (loss, optimizer, schedule) of the user's own, and it is not given again as it
    was; or where one is given to a run that had none.
    """
    if before is None:
        return
    kept, folder = before.get(key), shown(place.path)
    if kept is None:
        if own is not None:
            fail("lab.own-unknown", key=key, name=own["name"], folder=folder)
        return
    if own is None:
        fail("lab.own-again", key=key, name=kept["name"], folder=folder)
    if own["source"] != kept["source"]:
        fail("lab.own-other", key=key, name=kept["name"], found=own["name"], folder=folder)


def _parts(given: Any) -> list[str]:
    if isinstance(given, functools.partial):
        plain = [repr(value) for value in given.args if isinstance(value, _PLAIN)]
        named = {key: value for key, value in given.keywords.items() if isinstance(value, _PLAIN)}
        return [*_parts(given.func), *plain, repr(sorted(named.items()))]
    if isinstance(given, type) and given.__module__.startswith("torch."):
        return [f"{given.__module__}.{given.__qualname__}"]
    code = type(given) if isinstance(given, nn.Module) else given
    try:
        parts = [inspect.getsource(code)]
    except (OSError, TypeError):
        own = getattr(given, "__code__", None)
        parts = [f"{type(given).__module__}.{type(given).__qualname__}", repr(own and (own.co_code, own.co_names))]
    cells = [cell.cell_contents for cell in getattr(given, "__closure__", None) or ()]
    parts += [
        repr(value) for value in (*cells, *(getattr(given, "__defaults__", None) or ())) if isinstance(value, _PLAIN)
    ]
    if isinstance(given, nn.Module):
        plain = {key: value for key, value in vars(given).items() if isinstance(value, _PLAIN)}
        tensors = {name: tensor.tolist() for name, tensor in given.state_dict().items()}
        parts += [repr(given), repr(sorted(plain.items())), repr(tensors)]
    return parts
