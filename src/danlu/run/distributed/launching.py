"""Starting several processes for one training by torch's elastic launcher, and finding the run that they made."""

import contextlib
import logging
import sys
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

import torch.distributed as dist

from danlu.base.errors import DanluError, Fault, fail
from danlu.base.places import job_here, launched, rendezvous_in, runs_folder, shown
from danlu.base.recipe import Recipe
from danlu.base.secret import secret
from danlu.base.seeds import cores
from danlu.base.signals import signals_kept
from danlu.base.words import language
from danlu.run.interrupt import Interrupted
from danlu.store.run_environment import read_environment
from danlu.store.run_folder import RunFolder

RESTARTS = 3
"""How often all processes are started anew, from the last checkpoint, where one of them was lost."""

_LAUNCHER = "torch.distributed.elastic"


class ProcessesFailedError(DanluError):
    """The processes of a training ended before it was at its end, more often than they are started anew."""


def starts_processes(recipe: Recipe) -> bool:
    """Whether `recipe` wants several processes that nobody has started yet."""
    several = (recipe.train.processes or 1) > 1
    return several and launched() is None and not (dist.is_available() and dist.is_initialized())


def check_cores(processes: int) -> None:
    """UserError for more processes than this machine has cores."""
    if processes > cores():
        fail("processes.more-than-cores", processes=processes, cores=cores())


def start(words: Sequence[str], processes: int, folder: Path | None, *, progress: bool) -> Path:
    """Have `processes` processes carry out a command of danlu's together; the folder of the run that they trained,
    which is `folder` where that is known.

    They find each other by files, and listen on the loopback interface alone. ProcessesFailedError where they end
    early, Interrupted where they were told to.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException, Std
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    job = secret()
    with tempfile.TemporaryDirectory(prefix="danlu-") as scratch:
        config = LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=processes,
            run_id=job,
            rdzv_backend="c10d",
            rdzv_endpoint=str(Path(scratch) / "launcher"),
            rdzv_configs={"store_type": "file"},
            max_restarts=RESTARTS,
            local_addr="127.0.0.1",
            logs_specs=DefaultLogsSpecs(log_dir=str(Path(scratch) / "output"), redirects=Std.OUT),
        )
        asked = [] if progress else ["--json"]
        command = ["-m", "danlu", "--lang", language(), *words, *asked]
        try:
            with rendezvous_in(Path(scratch)), _only_our_words(), signals_kept():
                elastic_launch(config, sys.executable)(*command)
        except ChildFailedError as error:
            made = run_of_job(job_here(job), folder)
            kept = "" if made is None else Fault("processes.kept", {"folder": shown(made)})
            codes = ", ".join(str(one.exitcode) for one in error.failures.values())
            raise ProcessesFailedError(Fault("processes.failed", {"codes": codes, "kept": kept})) from None
        except SignalException:
            made = run_of_job(job_here(job), folder)
            if made is None:
                raise KeyboardInterrupt from None
            raise Interrupted(str(made), saved=True) from None
    made = folder or run_of_job(job_here(job), None)
    assert made is not None
    return made


def run_of_job(job: str, folder: Path | None) -> Path | None:
    """The run that a job of the launcher has begun, in `folder` or among those in runs/; None where there is none."""
    among = runs_folder().glob("*/environment.json") if folder is None else [RunFolder(folder).environment]
    for file in among:
        facts = read_environment(file)
        if facts is not None and facts.get("job") == job and RunFolder(file.parent).recipe.is_file():
            return file.parent
    return None


@contextlib.contextmanager
def _only_our_words() -> Generator[None]:
    """The launcher logs each of its steps; what of that concerns a user is told in a sentence."""
    log = logging.getLogger(_LAUNCHER)
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(before)
