"""What holds for every test and every example in a docstring, on whatever machine they run."""

import gc
import os
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

import hypothesis
import pytest

from thinning import kept

# What a run's folder holds is brought to the disk file by file; in memory that takes no time. Where there is no room
# for it, as in many containers, the tests write to the disk.
_MEMORY, _ROOM = Path("/dev/shm"), 4 * 2**30  # noqa: S108 - pytest makes a folder of its own in it
if "TMPDIR" not in os.environ and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

# What is imported and collected lives until the end: the garbage collector need not look through it again and again.
gc.disable()

_ENDING = [one for one in signal.Signals if one.name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM")]

# No deadline: nothing is timed, and a machine may be busy. Others are tried each time.
hypothesis.settings.register_profile("danlu", deadline=None, max_examples=50, print_blob=True)
hypothesis.settings.load_profile("danlu")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Neither the developer's language nor their data root reaches a test; none changes how signals are answered, nor
    goes on listening to the calls of modules.
    """
    monkeypatch.setenv("DANLU_LANG", "en")
    monkeypatch.delenv("DANLU_DATA", raising=False)
    answered, calling = [signal.getsignal(one) for one in _ENDING], _module_call()
    yield
    assert [signal.getsignal(one) for one in _ENDING] == answered, "signals are answered in another way than before"
    assert calling in (None, _module_call()), "somebody still listens to the calls of modules"


def _module_call() -> object:
    torch = sys.modules.get("torch")
    return None if torch is None else vars(torch.nn.Module)["_call_impl"]


@pytest.hookimpl(tryfirst=True)  # before -m "not slow" chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test whose name holds an address has another name in each process: two workers would not agree on what to run.

    Every process says it of itself, so that it is seen where there is one worker, too.
    """
    addressed = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if addressed:
        raise pytest.UsageError("tests named by an address: " + ", ".join(addressed))
    _thin_out(items)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Also in the process that only hands tests out, which collects none."""
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def _thin_out(items: list[pytest.Item]) -> None:
    """Of a table marked `every(n)` all cases but one of each n are slow."""
    tables = defaultdict[tuple[str, int], list[pytest.Item]](list)
    for item in items:
        if mark := item.get_closest_marker("every"):
            tables[item.nodeid.partition("[")[0], mark.args[0]].append(item)
    for (table, n), cases in tables.items():
        run = kept(table, len(cases), n)
        for place, case in enumerate(cases):
            if place not in run:
                case.add_marker("slow")
