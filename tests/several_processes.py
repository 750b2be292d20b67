"""Real processes that share a training, forked from this one, so that none of them has to import torch again."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from danlu.base.places import rendezvous_in
from danlu.base.signals import signals_kept


def in_processes(world: int, scratch: Path, work: Callable[..., Any], *given: Any, restarts: int = 0) -> dict[int, Any]:
    """What `work(*given)` gives in each of so many processes, by rank; they find each other by files in `scratch`.

    As torchrun does, they are started anew so often where one of them ends badly; ChildFailedError where that was all.
    """
    scratch.mkdir(parents=True)
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=world, run_id=scratch.name, rdzv_backend="c10d",
        rdzv_endpoint=str(scratch / "launcher"), rdzv_configs={"store_type": "file"}, max_restarts=restarts,
        monitor_interval=0.02, start_method="fork", local_addr="127.0.0.1",
        logs_specs=DefaultLogsSpecs(log_dir=str(scratch / "output")),
    )  # fmt: skip
    with rendezvous_in(scratch), signals_kept():
        return elastic_launch(config, _work)(scratch, work, *given)


def _work(scratch: Path, work: Callable[..., Any], *given: Any) -> Any:
    torch.set_num_threads(1)  # threads of the process that this one was forked from are not here
    (scratch / f"process-{os.environ['RANK']}").write_text(str(os.getpid()), encoding="ascii")
    return work(*given)
