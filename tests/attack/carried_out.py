"""One part of one kind of attack, in a process of its own."""

import importlib
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import torch

from attack.tally import Tally

KINDS = {
    "kills": "attack.kills",
    "inputs": "attack.inputs.trials",
    "flips": "attack.flips",
    "cuts": "attack.cuts",
    "disk": "attack.full_disk",
    "pages": "attack.pages",
    "races": "attack.races",
}


def carried_out(kind: str, share: float, seed: int, part: int, parts: int) -> tuple[list[Tally], float]:
    """One part of one kind, in a process of its own; its seconds beside it."""
    os.environ["DANLU_LANG"] = "en"
    os.environ.pop("DANLU_DATA", None)
    torch.set_num_threads(1)
    multiprocessing.set_start_method(
        "fork", force=True
    )  # as in a user's program: here it would be that of this process
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"danlu-{kind}-", ignore_cleanup_errors=True) as place:
        os.environ["XDG_CACHE_HOME"] = f"{place}/cache"
        tallies: list[Tally] = importlib.import_module(KINDS[kind]).attacked(
            share, seed, part, parts, Path(place) / kind
        )
    return tallies, time.monotonic() - begin
