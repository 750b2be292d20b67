"""Samples of the validation part whose answers were kept epoch by epoch: which are learnt, and which forgotten."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from danlu.store.records import MomentTaken, SamplePicture, SamplesFollowed
from danlu.store.run_history import RunHistory

MOST_ROWS = 32
_OF_A_KIND = 12  # that are wrong at the end, or were forgotten on the way


@dataclass(frozen=True)
class FollowedSample:
    """One sample: what it is, what was answered after each epoch, and the number that its colour goes by: the
    probability of its actual class, or of numbers actual minus predicted. `learnt` is the epoch since when the answers
    are right, None where the last one is wrong or there is no right; `forgotten` are those after which a right answer
    had become a wrong one."""

    sample: int
    actual: str
    answers: tuple[str, ...]
    colours: tuple[float | None, ...]
    right: tuple[bool, ...]
    learnt: int | None
    forgotten: tuple[int, ...]
    picture: SamplePicture | None = None


@dataclass(frozen=True)
class Followed:
    """Samples that say most, a row each; and of all that were followed how many there are, were never right, and were
    forgotten at least once."""

    epochs: tuple[int, ...]
    rows: tuple[FollowedSample, ...]
    numbers: bool
    samples: int
    never: int
    forgotten: int


def followed(history: RunHistory) -> Followed | None:
    """What a run recorded of its followed samples; None where it recorded nothing of them, or no answer that is one."""
    first, moments = history.followed, _whole(history.followed, history.moments)
    if first is None or not any(is_answered(first, one) for one in moments):
        return None
    pictures = {one.sample: one for one in (history.pictured.samples if history.pictured else ())}
    everyone = [_sample(first, moments, place) for place in range(len(first.samples))]
    wanted = set(pictures) or set(telling(first, moments))
    shown = [one for one in _ordered(everyone) if one.sample in wanted][:MOST_ROWS]
    rows = tuple(replace(one, picture=pictures.get(one.sample)) for one in shown)
    never = sum(not any(one.right) for one in everyone)
    forgotten = sum(bool(one.forgotten) for one in everyone)
    epochs = tuple(moment.epoch for moment in moments)
    return Followed(epochs, rows, first.classes is None, len(everyone), never, forgotten)


def telling(first: SamplesFollowed, moments: Sequence[MomentTaken]) -> list[int]:
    """The numbers of those that say most: up to 12 that are wrong at the end, up to 12 that were forgotten on the way,
    and of the others those learnt last; of numbers those that are furthest off, and others.

    >>> first = SamplesFollowed(samples=[3, 8], actual=[0.0, 1.0], classes=["a", "b"])
    >>> telling(first, [MomentTaken(epoch=1, step=9, answers=[0, 0], likely=[0.9, 0.2])])
    [8, 3]
    """
    moments = _whole(first, moments)
    ordered = _ordered([_sample(first, moments, place) for place in range(len(first.samples))] if moments else [])
    if first.classes is None:
        step = max(1, len(ordered) // MOST_ROWS)
        worst = ordered[: MOST_ROWS // 2]
        return [one.sample for one in [*worst, *ordered[MOST_ROWS // 2 :: step]][:MOST_ROWS]]
    wrong = [one for one in ordered if one.learnt is None]
    unsteady = [one for one in ordered if one.learnt is not None and one.forgotten]
    steady = [one for one in ordered if one.learnt is not None and not one.forgotten]
    some = [*wrong[:_OF_A_KIND], *unsteady[:_OF_A_KIND]]
    left = [*steady, *wrong[_OF_A_KIND:], *unsteady[_OF_A_KIND:]]
    # Of the steady ones both ends: those learnt last, and those that were right from the beginning.
    room = MOST_ROWS - len(some)
    last, early = left[: room - room // 2], left[room - room // 2 :]
    step = max(1, len(early) // max(1, room // 2))
    return [one.sample for one in _ordered([*some, *last, *early[::step][: room // 2]])]


def _whole(first: SamplesFollowed | None, moments: Sequence[MomentTaken]) -> list[MomentTaken]:
    """The moments with an answer to every sample, as a damaged journal may not have them."""
    if first is None:
        return []
    count, classed = len(first.samples), first.classes is not None
    return [
        one
        for one in sorted(moments, key=lambda one: one.epoch)
        if len(one.answers or ()) == count and (not classed or len(one.likely or ()) == count)
    ]


def is_answered(first: SamplesFollowed, moment: MomentTaken) -> bool:
    """Whether any of the samples was answered: the outputs of a net that diverged are no answers, though of numbers
    that are none the first class is the largest."""
    return any(value is not None for value in (moment.answers if first.classes is None else moment.likely) or ())


def _sample(first: SamplesFollowed, moments: Sequence[MomentTaken], place: int) -> FollowedSample:
    actual = first.actual[place]
    given = [
        None
        if first.classes is not None and one.likely is not None and one.likely[place] is None
        else one.answers[place]
        for one in moments
        if one.answers is not None
    ]
    right = tuple(answer == actual for answer in given) if first.classes is not None else ()
    learnt, forgotten = _course([one.epoch for one in moments], right)
    if first.classes is None:
        colours = tuple(None if answer is None else actual - answer for answer in given)
    else:
        colours = tuple(one.likely[place] for one in moments if one.likely is not None)
    answers = tuple(_named(first.classes, answer) for answer in given)
    named = _named(first.classes, actual)
    return FollowedSample(first.samples[place], named, answers, colours, right, learnt, forgotten)


def _course(epochs: Sequence[int], right: Sequence[bool]) -> tuple[int | None, tuple[int, ...]]:
    """Since when it is right, and after which epochs it had been forgotten.

    >>> _course([1, 2, 3, 4], [True, False, True, True])
    (3, (2,))
    """
    forgotten = tuple(epochs[at] for at in range(1, len(right)) if right[at - 1] and not right[at])
    if not right or not right[-1]:
        return None, forgotten
    since = max((at + 1 for at, one in enumerate(right) if not one), default=0)
    return epochs[since], forgotten


def _ordered(samples: Sequence[FollowedSample]) -> list[FollowedSample]:
    """Those that are wrong at the end first, then those learnt last; of numbers those that are furthest off."""

    def place(one: FollowedSample) -> tuple[float, float]:
        at = one.colours[-1] if one.colours else None
        if not one.right:
            return (0.0, -abs(at) if at is not None else -math.inf)
        return (-math.inf if one.learnt is None else -one.learnt, -1.0 if at is None else at)

    return sorted(samples, key=place)


def _named(classes: Sequence[str] | None, value: float | None) -> str:
    if value is None:
        return "–"
    if classes is None:
        return f"{value:.4g}"
    return classes[int(value)] if value == int(value) and 0 <= value < len(classes) else "–"
