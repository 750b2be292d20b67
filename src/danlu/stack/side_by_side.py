"""Stacks carried out side by side, one a core; a stack for which memory is too small is halved."""

import gc
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from danlu.base.events import Stop
from danlu.base.memory import is_out_of_memory
from danlu.base.seeds import use_threads

Result = TypeVar("Result")
Work = Callable[[list[int]], Result | Stop]


def side_by_side(
    work: Work[Result],
    stacks: Sequence[list[int]],
    workers: int,
    finished: Callable[[list[int], Result], None] | None = None,
) -> list[tuple[list[int], Result]] | Stop:
    """`work` done for every stack (the places of its members), on as many threads as `workers`; Stop when told so.

    A stack of several members that memory does not hold is done in halves. `finished` hears of each as it ends.

    >>> sorted(side_by_side(len, [[0, 1], [2]], workers=1))
    [([0, 1], 2), ([2], 1)]
    """
    results: list[tuple[list[int], Result]] = []
    workers = min(workers, len(stacks))
    threads = use_threads(1) if workers > 1 else None  # a core for each stack, not all cores for each operation
    try:
        with ThreadPoolExecutor(workers, initializer=use_threads, initargs=(1,)) as pool:
            # One worker is this thread itself, which has all cores.
            submit = pool.submit if workers > 1 else _at_once
            waiting = {submit(work, places): places for places in stacks}
            while waiting:
                done = next(iter(wait(waiting, return_when=FIRST_COMPLETED).done))
                places = waiting.pop(done)
                outcome = _outcome(done, places)
                if outcome is None:
                    half = len(places) // 2
                    waiting |= {submit(work, part): part for part in (places[:half], places[half:])}
                    continue
                if isinstance(outcome, Stop):
                    pool.shutdown(cancel_futures=True)
                    return outcome
                results.append((places, outcome))
                if finished:
                    finished(places, outcome)
    finally:
        if threads:
            use_threads(threads)
    return results


def _at_once(work: Work[Result], places: list[int]) -> Future[Result | Stop]:
    future: Future[Result | Stop] = Future()
    try:
        future.set_result(work(places))
    except (RuntimeError, MemoryError) as error:
        future.set_exception(error)
    return future


def _outcome(done: Future[Result | Stop], places: list[int]) -> Result | Stop | None:
    """None where memory was too small for so many members."""
    try:
        return done.result()
    except (RuntimeError, MemoryError) as error:
        if len(places) == 1 or not is_out_of_memory(error):
            raise
        error.__traceback__ = None  # its frames hold the tensors there was room for
    gc.collect()
    return None
