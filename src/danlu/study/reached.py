"""A cluster as it was asked for: reached, looked at, and let go of again."""

import contextlib
import importlib.metadata
from collections.abc import Callable, Generator
from typing import Any

import torch

from danlu.base.errors import Fault, Faults, fail
from danlu.base.naming import listed
from danlu.base.seeds import hardware, instructions
from danlu.study.cluster.address import LOCAL_RAY, ClusterAddress, without_secrets
from danlu.study.cluster.dask_cluster import DaskCluster, is_client
from danlu.study.cluster.protocol import Cluster, Place
from danlu.study.cluster.ray_cluster import RayCluster
from danlu.study.processes import cluster_of_joblib

_MOST_TOLD = 4


def check_cluster(cluster: object, jobs: int | None) -> None:
    """UserError for what names no cluster, and for one beside a number of processes here."""
    if cluster is None:
        return
    faults = Faults()
    with faults.gathered():
        _wanted(cluster)
    if jobs is not None:
        faults.add("cluster.no-jobs")
    faults.raise_if_any()


@contextlib.contextmanager
def connected(cluster: object, note: Callable[[Fault], None]) -> Generator[Cluster | None]:
    """The cluster for the length of a block: by its address, a client of Dask's, or the one that joblib was told of;
    None where none was asked for. `note` hears what the user should know of it.

    UserError where it cannot be reached, has no workers, or other versions of danlu, torch or Python than here.
    """
    if isinstance(cluster, Cluster):  # by a block around this one, which lets go of it
        yield cluster
        return
    wanted = _wanted(cluster)
    if wanted is None:
        yield None
        return
    found = _reached(wanted)
    try:
        for fault in _looked_at(found):
            note(fault)
        yield found
    finally:
        found.close()


def _wanted(cluster: object) -> Any:
    if cluster is None:
        return cluster_of_joblib()
    if isinstance(cluster, str):
        return ClusterAddress.read(cluster)
    if not is_client(cluster):
        fail("cluster.not-one", found=type(cluster).__name__)
    return cluster


def _reached(wanted: Any) -> Cluster:
    if wanted == LOCAL_RAY or (isinstance(wanted, ClusterAddress) and wanted.scheme == LOCAL_RAY):
        return RayCluster(wanted if isinstance(wanted, ClusterAddress) else None)
    return DaskCluster(wanted)


def _looked_at(cluster: Cluster) -> list[Fault]:
    """What is to be told of its workers."""
    here = place_here()
    try:
        there = cluster.places(place_here)
    except ImportError as error:
        fail("cluster.no-danlu", cluster=cluster.name, module=error.name or str(error))
    except OSError as error:  # also TimeoutError
        fail("cluster.no-answer", cluster=cluster.name, reason=without_secrets(str(error)) or type(error).__name__)
    if not there:
        fail("cluster.no-workers-yet", cluster=cluster.name)
    faults = Faults()
    for part in ("danlu", "torch", "python"):
        own = getattr(here, part)
        others = sorted({getattr(place, part) for place in there} - {own})
        if others:
            faults.add("cluster.versions-differ", part=part, here=own, there=listed(others, _MOST_TOLD))
    faults.raise_if_any()
    kinds = sorted({place.instructions for place in (*there, here)})
    return [Fault("cluster.other-processors", {"kinds": ", ".join(kinds)})] if len(kinds) > 1 else []


def place_here() -> Place:
    """This process as a worker describes itself."""
    machine = hardware(torch.device("cpu"))
    return Place(_version(), str(machine["torch"]), str(machine["python"]).rpartition(".")[0], instructions())


def _version() -> str:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version("danlu")
    return ""
