"""One part of one kind of attack, in a process of its own."""

import gc
import importlib
import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path

import torch

from attack.tally import Tally
from danlu.base.places import OVERVIEW_VARIABLE

KINDS = {
    "kills": "attack.kills",
    "inputs": "attack.inputs.trials",
    "flips": "attack.flips",
    "cuts": "attack.cuts",
    "disk": "attack.full_disk",
    "pages": "attack.pages",
    "races": "attack.races",
}


MEMORY = Path(
    "/dev/shm"
)  # folders in memory: what survives a kill there survives it anywhere, and nobody waits for a disk
ROOM = 4 * 2**30  # bytes that must be free there


def carried_out(kind: str, share: float, seed: int, part: int, parts: int) -> tuple[list[Tally], float, float]:
    """One part of one kind, in a process of its own; its seconds beside it, and those of the processor."""
    os.environ["DANLU_LANG"] = "en"
    os.environ[OVERVIEW_VARIABLE] = "0"  # thousands of trainings of a moment: those with a poster ask for it
    os.environ.pop("DANLU_DATA", None)
    torch.set_num_threads(1)
    multiprocessing.set_start_method(
        "fork", force=True
    )  # as in a user's program: here it would be that of this process
    gc.freeze()  # or every collection in a child copies what all of them share
    begin, before = time.monotonic(), processor()
    room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    at = MEMORY if room else None
    with tempfile.TemporaryDirectory(prefix=f"danlu-{kind}-", dir=at, ignore_cleanup_errors=True) as place:
        os.environ["XDG_CACHE_HOME"] = f"{place}/cache"
        tallies: list[Tally] = importlib.import_module(KINDS[kind]).attacked(
            share, seed, part, parts, Path(place) / kind
        )
    return tallies, time.monotonic() - begin, processor() - before


def processor() -> float:
    """Seconds of the processor that this process and its ended children have had."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
