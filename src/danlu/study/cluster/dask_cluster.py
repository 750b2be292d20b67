"""Dask: trainings sent through its own client. The one place that imports distributed."""

import contextlib
import logging
import queue
import time
import warnings
from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

from danlu.base.errors import Fault, UserError, fail
from danlu.base.secret import secret
from danlu.study.cluster.address import ClusterAddress, without_secrets
from danlu.study.cluster.protocol import Ended, Lost, Place, Resources, Work

_PATIENCE = 10  # seconds until a scheduler must have answered
_NO_WORKERS = 60.0  # seconds in which others may come for those that were lost
_SOON = 5  # seconds until a result that is done must be here
_LOG = logging.getLogger("distributed")


class DaskCluster:
    """The workers of a Dask scheduler: those that are there when a task is sent, whenever they came.

    `address` is where it listens, or a client of the user's own, which stays open. UserError where none listens there,
    or the extra is not installed.
    """

    def __init__(self, address: ClusterAddress | Any) -> None:
        try:
            import distributed  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise UserError(Fault("figure.needs-extra", {"part": "distributed", "extra": "cluster"})) from error
        self._own = isinstance(address, ClusterAddress)
        self.name = str(address) if self._own else _name_of(address)
        # Its client tells of every worker it loses on standard error, with a traceback; so do we, in a sentence.
        self._told = _LOG.level
        _LOG.setLevel(logging.CRITICAL + 1)
        try:
            self._client: Any = _connected(distributed, address) if isinstance(address, ClusterAddress) else address
        except BaseException:
            _LOG.setLevel(self._told)
            raise
        self._names, self._count = secret()[:12], 0
        self._futures: dict[str, Any] = {}
        self._held: list[Any] = []
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def resources(self) -> Resources:
        workers: dict[str, dict[str, Any]] = self._client.scheduler_info()["workers"]
        slots = sum(int(worker["nthreads"]) for worker in workers.values())
        memory = min(
            (int(worker["memory_limit"] or 0) // max(1, worker["nthreads"]) for worker in workers.values()), default=0
        )
        return Resources(slots, len(workers), memory)

    def places(self, look: Callable[[], Place]) -> Sequence[Place]:
        return list(self._client.run(look).values())

    def hold(self, value: Any) -> Any:
        end = time.monotonic() + _NO_WORKERS
        while True:
            try:
                # In a list: by itself a dict would be spread over the workers entry by entry.
                held = self._client.scatter([value], broadcast=True, hash=False)[0]
            except OSError:  # a worker was lost meanwhile, or there is none until others come
                if self._client.status != "running" or time.monotonic() > end:
                    raise
                time.sleep(1.0)
                continue
            self._held.append(held)
            return held

    def submit(self, work: Work, held: Any, sent: Any, beside: Hashable | None = None) -> Hashable:
        self._count += 1
        key = f"danlu-{self._names}-{self._count}"
        elsewhere = self._workers_without(beside) if beside is not None else None
        future: Any = self._client.submit(
            _on_worker, work, held, sent, key=key, pure=False, workers=elsewhere, allow_other_workers=bool(elsewhere)
        )
        self._futures[key] = future
        future.add_done_callback(self._done.put)
        return key

    def _workers_without(self, key: Hashable) -> list[str] | None:
        """The workers besides those that work on a task; None where there is no other."""
        others = [worker for worker, keys in self._client.processing().items() if key not in keys]
        return others or None

    def ended(self, seconds: float) -> Sequence[tuple[Hashable, Ended | Lost]]:
        found: list[tuple[Hashable, Ended | Lost]] = []
        with contextlib.suppress(queue.Empty):
            while True:
                future = self._done.get(timeout=0 if found else seconds)
                if (result := self._result(future)) is not None:
                    found.append((future.key, result))
                    self._futures.pop(future.key, None)
        return found

    def _result(self, future: Any) -> Ended | Lost | None:
        """None for what is under way again, because the worker that had the result is gone."""
        import distributed  # pyright: ignore[reportMissingImports]

        if future.key not in self._futures:
            return None
        if future.status in ("cancelled", "lost"):
            return Lost("data")
        try:
            return Ended(future.result(timeout=_SOON))
        except TimeoutError:
            future.add_done_callback(self._done.put)
            return None
        except cast(Any, distributed).KilledWorker:
            return Lost("worker")
        except MemoryError:
            return Lost("memory")
        except Exception as error:  # noqa: BLE001  (whatever a worker's Python could not do)
            if future.status in ("cancelled", "lost"):
                return Lost("data")
            return Lost("error", without_secrets(f"{type(error).__name__}: {error}"))

    def drop(self, tickets: Sequence[Hashable]) -> None:
        futures = [future for future in (self._futures.pop(str(ticket), None) for ticket in tickets) if future]
        if futures:
            self._client.cancel(futures, force=True)

    def close(self) -> None:
        with contextlib.suppress(Exception):  # the scheduler may be gone
            self.drop(list(self._futures))
            self._client.cancel(self._held)  # the client may live on, and the data with it
            if self._own:
                self._client.close(timeout=_SOON)
        _LOG.setLevel(self._told)


def is_client(cluster: object) -> bool:
    """Whether this is a client of Dask's."""
    return type(cluster).__module__.partition(".")[0] == "distributed" and hasattr(cluster, "scatter")


def _name_of(client: Any) -> str:
    scheduler = getattr(client, "scheduler", None)
    return without_secrets(str(getattr(scheduler, "address", "dask")))


def _connected(distributed: Any, address: ClusterAddress) -> Any:
    reason = ""
    host = {"dask": "tcp"}.get(address.scheme, address.scheme)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of versions that differ: we look at those that matter ourselves
            return distributed.Client(
                f"{host}://{address.host}:{address.port}", timeout=_PATIENCE, set_as_default=False
            )
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        # No cause: what the library said may hold more of the address than can be shown.
        reason = without_secrets(str(error)) or type(error).__name__
    return fail("cluster.no-scheduler", cluster=str(address), reason=reason)


def _on_worker(work: Work, held: Any, sent: Any) -> Any:
    import distributed  # pyright: ignore[reportMissingImports]

    worker = cast(Any, distributed).get_worker()
    key = worker.get_current_task()

    def gone() -> bool:
        """A task that is cancelled, or whose client is gone, the scheduler lets go of: the worker knows at once."""
        task = worker.state.tasks.get(key)
        return task is None or task.state == "cancelled"

    return work(held, sent, gone)
