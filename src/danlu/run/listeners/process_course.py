"""What only the other processes of a training see, kept in the journal; and told where one of them is amiss."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence

from danlu.base.errors import Fault
from danlu.run.listeners.journal_writer import JournalWriter
from danlu.store.records import ProcessesMeasured

_TIMES = 2.0  # so much longer than the others computes one that lags
_IN_A_ROW = 4  # measured steps: one alone may have met something else on its core
_LEAST_SECONDS = 0.01


class ProcessCourse:
    """Hears on each measured step what each process saw of it: loss, norm of the gradient, seconds of computing.

    Without `norms` no process knows one of its own.
    """

    def __init__(self, journal: JournalWriter, note: Callable[[Fault], None], *, norms: bool = True) -> None:
        self._norms = norms
        self._journal = journal
        self._note = note
        self._late: dict[int, int] = {}
        self._told: set[tuple[str, int]] = set()

    def __call__(self, step: int, seen: Sequence[Sequence[float]]) -> None:
        losses, norms, seconds = ([float(row[place]) for row in seen] for place in range(3))
        self._journal.write(
            ProcessesMeasured(
                step=step, loss=_short(losses), norm=_short(norms) if self._norms else None, seconds=_short(seconds)
            )
        )
        judged = zip(losses, norms if self._norms else losses, strict=True)
        sound = [math.isfinite(loss) and math.isfinite(norm) for loss, norm in judged]
        for rank, (fine, own) in enumerate(zip(sound, seconds, strict=True)):
            if not fine and any(sound):
                self._tell("processes.not-finite", rank, {"step": step})
            others = statistics.median([*seconds[:rank], *seconds[rank + 1 :]])
            late = own > max(_LEAST_SECONDS, _TIMES * others)
            self._late[rank] = self._late.get(rank, 0) + 1 if late else 0
            if self._late[rank] >= _IN_A_ROW:
                times = {"times": f"{own / others:.1f}", "seconds": f"{own:.3f}", "others": f"{others:.3f}"}
                self._tell("processes.lags", rank, times)

    def _tell(self, what: str, rank: int, values: Mapping[str, object]) -> None:
        """Once for each process."""
        if (what, rank) not in self._told:
            self._told.add((what, rank))
            self._note(Fault(what, {"rank": rank, **values}))


def _short(numbers: Sequence[float]) -> list[float | None]:
    return [float(f"{number:.4g}") if math.isfinite(number) else None for number in numbers]
