"""Ray: trainings sent through its own library. The one place that imports ray."""

import contextlib
import logging
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Sequence
from typing import Any

from danlu.base.errors import Fault, UserError, fail
from danlu.base.places import variable
from danlu.base.signals import signals_kept
from danlu.study.cluster.address import ClusterAddress, without_secrets
from danlu.study.cluster.protocol import Ended, Lost, Place, Resources, Work

_HERE = "127.0.0.1"
# Left to itself Ray listens on the machine's address, for all who can reach it, even where it is given another
# (`_node_ip_address`). It listens here alone where it may not be a cluster, as on a Mac: read when it is imported.
_ALONE = ("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
_MOST_HELD = 4  # values that a worker keeps unpacked
_PATIENCE = 180  # seconds until each machine must have described itself
_TRIES, _BETWEEN = 3, 2.0  # seconds: a head that has just begun may fail to start the server that answers a client


class RayCluster:
    """The workers of a Ray cluster, one task a core: that of `address`, one started here for the length of the study
    (no host), or the one that this process is connected with (None). UserError where none answers there, or the extra
    is not installed.
    """

    def __init__(self, address: ClusterAddress | None) -> None:
        try:
            import ray  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise UserError(Fault("figure.needs-extra", {"part": "ray", "extra": "cluster"})) from error
        self._ray: Any = ray
        self.name = "ray" if address is None else str(address)
        self._own = not ray.is_initialized()
        if self._own:
            with signals_kept():
                _begin(ray, address)
        self._task: Any = ray.remote(num_cpus=1, max_retries=0)(_on_worker)
        self._refs: dict[str, Any] = {}
        self._count = 0

    def resources(self) -> Resources:
        there: dict[str, float] = self._ray.cluster_resources()
        slots = int(there.get("CPU", 0))
        return Resources(slots, slots, int(there.get("memory", 0)) // max(1, slots))

    def places(self, look: Callable[[], Place]) -> Sequence[Place]:
        from ray.util.scheduling_strategies import (  # pyright: ignore[reportMissingImports]
            NodeAffinitySchedulingStrategy,
        )

        nodes: list[str] = [node["NodeID"] for node in self._ray.nodes() if node["Alive"]]
        remote: Any = self._ray.remote(num_cpus=0)(look)
        asked = [remote.options(scheduling_strategy=NodeAffinitySchedulingStrategy(n, soft=False)) for n in nodes]
        try:
            return self._ray.get([one.remote() for one in asked], timeout=_PATIENCE)
        except self._ray.exceptions.RayTaskError as error:
            if "ModuleNotFoundError" in str(error):
                raise ImportError("danlu", name="danlu") from None
            raise
        except self._ray.exceptions.RayError as error:  # too late, or the machine was lost meanwhile
            raise OSError(str(error)) from error

    def hold(self, value: Any) -> Any:
        # In a list: so it is not unpacked for each task, but by the task that needs it, once a process.
        return [self._ray.put(value)]

    def submit(self, work: Work, held: Any, sent: Any, beside: Hashable | None = None) -> Hashable:
        self._count += 1
        ticket = f"{self._count}"
        self._refs[ticket] = self._task.options(scheduling_strategy="SPREAD").remote(work, held, sent)
        return ticket

    def ended(self, seconds: float) -> Sequence[tuple[Hashable, Ended | Lost]]:
        tickets = {ref: ticket for ticket, ref in self._refs.items()}
        if not tickets:
            time.sleep(seconds)
            return []
        done, _ = self._ray.wait(list(tickets), num_returns=1, timeout=seconds)
        if done:  # and all others that are done by now
            done, _ = self._ray.wait(list(tickets), num_returns=len(tickets), timeout=0)
        return [(tickets[ref], self._result(self._refs.pop(tickets[ref]))) for ref in done]

    def _result(self, ref: Any) -> Ended | Lost:
        errors: Any = self._ray.exceptions
        try:
            return Ended(self._ray.get(ref))
        except errors.OutOfMemoryError:
            return Lost("memory")
        except (errors.ObjectLostError, errors.OwnerDiedError):
            return Lost("data")
        except errors.RayTaskError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, errors.ObjectLostError):
                return Lost("data")
            return Lost("error", without_secrets(str(cause or error).strip().rpartition("\n")[2]))
        except errors.RayError:
            return Lost("worker")

    def drop(self, tickets: Sequence[Hashable]) -> None:
        for ticket in tickets:
            ref = self._refs.pop(str(ticket), None)
            if ref is not None:
                with contextlib.suppress(Exception):  # it has ended meanwhile
                    self._ray.cancel(ref)

    def close(self) -> None:
        with contextlib.suppress(Exception):  # its machines may be gone
            self.drop(list(self._refs))
        if self._own:
            self._ray.shutdown()


@contextlib.contextmanager
def _loopback(ray: Any) -> Generator[None]:
    """The same where it was imported before."""
    constants: Any = ray._private.ray_constants
    before = constants.ENABLE_RAY_CLUSTER
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


def _begin(ray: Any, address: ClusterAddress | None) -> None:
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    reason = ""
    try:
        if address is None or not address.host:
            with variable(*_ALONE), _loopback(ray):
                ray.init("local", include_dashboard=False, **quiet)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what comes of it is told below
                _connect(ray, str(address), quiet)
        if address is None or address.host or all(one["NodeManagerAddress"] == _HERE for one in ray.nodes()):
            return
        ray.shutdown()
        reason = str(Fault("cluster.ray-listens", {"host": _HERE}))
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = without_secrets(str(error)) or type(error).__name__
    fail("cluster.no-ray", cluster="ray" if address is None else str(address), reason=reason)


def _connect(ray: Any, address: str, quiet: dict[str, Any]) -> None:
    for left in reversed(range(_TRIES)):
        try:
            ray.init(address, **quiet)
        except ConnectionAbortedError:  # it answered, but has no server for us
            if not left:
                raise
            ray.shutdown()
            time.sleep(_BETWEEN)
        else:
            return


_held: OrderedDict[str, Any] = OrderedDict()
_held_lock = threading.Lock()


def _on_worker(work: Work, held: Sequence[Any], sent: Any) -> Any:
    """On a worker: a cancelled task gets a KeyboardInterrupt; where the client is gone, Ray ends the process."""
    return work(_unpacked(held[0]), sent, lambda: False)


def _unpacked(ref: Any) -> Any:
    import ray  # pyright: ignore[reportMissingImports]

    name = ref.hex()
    with _held_lock:
        if name not in _held:
            _held[name] = ray.get(ref)
            while len(_held) > _MOST_HELD:
                _held.popitem(last=False)
        return _held[name]
