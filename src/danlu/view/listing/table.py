"""From facts to what is drawn: rows picked, put in order and gathered under their studies or in groups."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from danlu.base.errors import Fault, UserError
from danlu.stats.mean_interval import MeanInterval, mean_interval
from danlu.store.where.match import UNREAD, text_of_fact
from danlu.store.where.names import PARTS, FactNames
from danlu.store.where.parse import parse_where
from danlu.view.figures.names import short
from danlu.view.listing.query import ListQuery

Row = Mapping[str, Any]
CHANGED, SCORE = "changed", "score"
MEMBER = "member"  # the type of a training that a study has in its journal, without a folder of its own
_MAIN = ("accuracy", "r2", "f1", "perplexity", "loss")


@dataclass(frozen=True)
class ListLine:
    """A row of the table; `depth` is 1 under a study or in a group. `below` counts what can be unfolded under it."""

    row: Row
    depth: int = 0
    below: int = 0
    opened: bool = False


@dataclass(frozen=True)
class RunGroup:
    """Runs that share a value, with the mean of their scores."""

    id: str
    value: str
    rows: Sequence[Row]
    score: MeanInterval | None
    opened: bool


@dataclass(frozen=True)
class Selection:
    """What a query picks of some rows. `matched` counts runs and studies; `wrong` says why the filter picks nothing."""

    metric: str
    metrics: Sequence[str] = ()
    lines: Sequence[ListLine] = ()
    groups: Sequence[RunGroup] = ()
    matched: int = 0
    total: int = 0
    archived: int = 0
    wrong: Fault | None = None
    names: FactNames = field(default_factory=lambda: FactNames(()))


def select(rows: Sequence[Row], query: ListQuery, names: FactNames | None = None) -> Selection:
    """The rows that `query` picks, sorted, as lines or in groups."""
    names = names or FactNames(rows)
    kept = [row for row in rows if query.archived or not row["archived"]]
    metrics = metrics_of(kept)
    metric = query.metric if query.metric in metrics else (metrics[0] if metrics else "")
    listed = [row for row in rows if row["type"] != MEMBER]
    told = Selection(metric, metrics, total=len(listed), archived=sum(row["archived"] for row in listed), names=names)
    try:
        picked = picked_rows(kept, query.where, names)
    except UserError as error:
        return replace(told, wrong=error.faults[0])
    name = names.resolve(query.group) if query.group else None
    if name is not None:
        runs = [row for row in picked if row["type"] == "run"]
        return replace(told, groups=_grouped(runs, name, metric, query), matched=len(runs))
    matched = sum(row["type"] != MEMBER for row in picked)
    return replace(told, lines=_lines(kept, picked, metric, query), matched=matched)


def picked_rows(rows: Sequence[Row], where: str, names: FactNames) -> list[Row]:
    """Those that an expression picks; none that has not been read yet. UserError for an expression that is none."""
    if not where.strip():
        return list(rows)
    expression = parse_where(where, names.resolve, names.hints)
    return [row for row in rows if row["state"] != "unread" and expression(row)]


def metrics_of(rows: Iterable[Row]) -> list[str]:
    """The scores there are, those first that most runs are told by; then each part's own."""
    main, others, parts = Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        own: tuple[str, ...] = row["_metrics"]
        if not own:
            continue
        main.update(next(([name] for name in _MAIN if name in own), own[:1]))
        others.update(own)
        parts.update(f"{part}.{name}" for part in PARTS for name in own if f"{part}.{name}" in row)
    ranked = [*(name for name, _ in main.most_common()), *(name for name, _ in others.most_common())]
    return list(dict.fromkeys([*ranked, *(name for name, _ in parts.most_common())]))


def differing(rows: Sequence[Row]) -> list[str]:
    """The settings in which some rows differ, in the order of a recipe."""
    seen: dict[str, str] = {}
    found: dict[str, None] = {}
    runs = [row for row in rows if row["type"] == "run" and row["state"] not in ("unread", "unreadable")]
    keys = dict.fromkeys(key for row in runs for key in row if "." in key and not _is_score(key))
    for key in keys:
        for row in runs:
            value = repr(row.get(key))
            if seen.setdefault(key, value) != value:
                found[key] = None
                break
    return list(found)


def _is_score(key: str) -> bool:
    return key.startswith(("test.", "validation.")) or key == "train.loss"


def _lines(kept: Sequence[Row], picked: Sequence[Row], metric: str, query: ListQuery) -> list[ListLine]:
    """Studies with what lies in them below; a filter unfolds those of which it picks only what lies in them."""
    inside: dict[str, list[Row]] = {}
    for row in kept:
        if row["_study"]:
            inside.setdefault(row["_study"], []).append(row)
    chosen = {row["_id"] for row in picked}
    by_id = {row["_id"]: row for row in kept}
    filtered = bool(query.where.strip())
    tops = [row for row in kept if row["_study"] not in by_id]
    shown = [
        row for row in tops if row["_id"] in chosen or any(one["_id"] in chosen for one in inside.get(row["_id"], ()))
    ]
    lines: list[ListLine] = []
    for row in ordered(shown, query.sort, metric):
        below = inside.get(row["_id"], [])
        own = row["_id"] in chosen
        opened = row["_id"] in query.opened or (filtered and not own)
        lines.append(ListLine(row, 0, len(below) + row.get("_members", 0) * (not opened), opened))
        if opened:
            matching = [one for one in below if not filtered or own or one["_id"] in chosen]
            lines += [ListLine(one, 1) for one in ordered(matching, query.sort, metric)]
    return lines


def _grouped(rows: Sequence[Row], name: str, metric: str, query: ListQuery) -> list[RunGroup]:
    gathered: dict[str, list[Row]] = {}
    for row in rows:
        found = row.get(name)
        values = [_told(one) for one in found] or [""] if isinstance(found, tuple) else [_told(found)]
        for value in values:
            gathered.setdefault(value, []).append(row)
    groups: list[RunGroup] = []
    for value in sorted(gathered, key=_natural):
        own = gathered[value]
        scores = [float(row[metric]) for row in own if isinstance(row.get(metric), int | float)]
        id = f"g{hashlib.blake2b(f'{name}={value}'.encode(), digest_size=6).hexdigest()}"
        ranked = ordered(own, query.sort, metric)
        groups.append(RunGroup(id, value, ranked, mean_interval(scores), id in query.opened))
    if query.sort.removeprefix("-") == SCORE:
        down = query.sort.startswith("-")
        known = [group for group in groups if group.score]
        known.sort(key=lambda group: group.score.mean if group.score else 0.0, reverse=down)
        groups = [*known, *(group for group in groups if not group.score)]
    return groups


def _told(found: Any) -> str:
    return short(found) if isinstance(found, float) else text_of_fact(found)


def ordered(rows: Iterable[Row], sort: str, metric: str) -> list[Row]:
    """The rows by a column, from the smallest up or, with "-" before it, from the greatest down; numbers before texts,
    and those that have nothing there last."""
    down, column = sort.startswith("-"), sort.removeprefix("-")
    keyed = [(value_in(row, column, metric), row) for row in rows]
    numbers = [(value, row) for value, row in keyed if isinstance(value, int | float) and value == value]
    texts = [(value, row) for value, row in keyed if isinstance(value, str) and value]
    others = [row for value, row in keyed if not (value if isinstance(value, str) else _is_number(value))]
    numbers.sort(key=lambda one: one[0], reverse=down)
    texts.sort(key=lambda one: _natural(one[0]), reverse=down)
    return [*(row for _, row in numbers), *(row for _, row in texts), *others]


def value_in(row: Row, column: str, metric: str) -> Any:
    """What a row has in a column, as it is sorted by: a number, a text or nothing."""
    if column == CHANGED:  # clocks are set back and forth: what was begun last is newest
        return row["_turn"]
    if column == "name":
        return row["title"] or row["name"]
    found = row.get(metric if column == SCORE else column)
    if found == UNREAD or found is None:
        return None
    return found if isinstance(found, int | float) and not isinstance(found, bool) else text_of_fact(found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and value == value


def _natural(text: str) -> list[tuple[int, float, str]]:
    """run-9 before run-10, and 0.5 before 10."""
    try:
        return [(0, float(text), "")]
    except ValueError:
        parts = re.split(r"(\d{1,15})", text.lower())
        return [(1, 0.0, ""), *((0, float(part), "") if part.isdigit() else (1, 0.0, part) for part in parts)]
