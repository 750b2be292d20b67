"""Runs that differ in nothing but the seed and the fold, which are one measurement repeated."""

from collections.abc import Sequence
from dataclasses import dataclass

from danlu.view.info.effects import setting_text
from danlu.view.info.run import RunInfo

_REPEATED = ("train.seed", "data.fold")
_MOST_SETTINGS = 4  # that a label names
_UNASKED = 3  # runs of one setting that are drawn as one curve where nobody says how


@dataclass(frozen=True)
class RepeatedRuns:
    """Runs of one setting, by their places among all, and how many folds they are of."""

    label: str
    places: Sequence[int]
    folds: int


def groups_of(infos: Sequence[RunInfo]) -> list[RepeatedRuns]:
    """The groups in the order of their first runs, called by the settings in which they differ."""
    keys = dict.fromkeys(key for info in infos for key in info.settings if key not in _REPEATED)
    different = [key for key in keys if len({repr(info.settings.get(key)) for info in infos}) > 1]
    found: dict[str, list[int]] = {}
    for at, info in enumerate(infos):
        found.setdefault(repr([info.settings.get(key) for key in different]), []).append(at)
    groups: list[RepeatedRuns] = []
    for places in found.values():
        first = infos[places[0]]
        told = setting_text({key: first.settings.get(key, "–") for key in different[:_MOST_SETTINGS]})
        folds = len({repr(infos[at].settings.get("data.fold")) for at in places})
        groups.append(RepeatedRuns("  ".join(filter(None, (told, f"n = {len(places)}"))), places, folds))
    return groups


def are_repeated(groups: Sequence[RepeatedRuns]) -> bool:
    """Whether there are so many runs of one setting that their mean says more than they do one by one."""
    return any(len(group.places) >= _UNASKED for group in groups)
