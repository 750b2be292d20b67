"""The list as the page draws it: plain values that JSON can hold, in the language in force."""

from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.metric_names import metric_name, within_bounds
from danlu.base.words import catalogue, language, say
from danlu.stats.mean_interval import MeanInterval
from danlu.stats.members import COSTS
from danlu.store.where.match import UNREAD, text_of_fact
from danlu.view.figures.names import score_label, score_text, short
from danlu.view.listing.query import ListQuery
from danlu.view.listing.table import CHANGED, SCORE, ListLine, Row, Selection, differing

_COUNTED = ("epochs", "steps", "findings")
_FACTS = (*_COUNTED, "seconds", CHANGED, "tag", "study")
_FEWEST = 1e-12
_PARTS = ("test.", "validation.", "train.")


def list_page(
    selection: Selection, rows: Sequence[Row], query: ListQuery, *, folder: str, unread: int, writable: bool
) -> dict[str, Any]:
    """The list of runs and studies that a query picks of `rows`; `unread` of these have not been looked at yet."""
    base = next((row for row in rows if row["_id"] == query.base), None)
    columns = [selection.names.resolve(column) or column for column in query.columns]
    limit, group = query.limit, selection.names.resolve(query.group) if query.group else None
    drawn = [_line(line, columns, selection.metric, base) for line in selection.lines[:limit]]
    groups: list[dict[str, Any]] = []
    for one in selection.groups:
        inside = one.rows[: max(0, limit - len(drawn))] if one.opened else []
        told = [_line(ListLine(row, 1), columns, selection.metric, base) for row in inside]
        groups.append(
            {"id": one.id, "value": one.value, "count": len(one.rows), "opened": one.opened,
             "score": _interval(one.score, selection.metric), "first": len(drawn), "rows": len(told)}
        )  # fmt: skip
        drawn += told
    open_rows = sum(len(group.rows) for group in selection.groups if group.opened)
    reading = sum(row["finding"] == UNREAD for row in rows) if "finding" in query.where else 0
    return {
        "folder": folder,
        "writable": writable,
        "total": selection.total,
        "matched": selection.matched,
        "archived": selection.archived,
        "unread": unread or reading,
        "wrong": None
        if selection.wrong is None
        else {"text": str(selection.wrong), "at": selection.wrong.values["at"]},
        "metric": selection.metric,
        "metrics": [[name, column_label(name, selection.metrics)] for name in selection.metrics],
        "columns": [[column, column_label(column, selection.metrics)] for column in columns],
        "choices": _choices(selection, rows),
        "base": None if base is None else base["title"] or base["name"],
        "group": group,
        "group_label": column_label(group or ""),
        "groups": groups,
        "rows": drawn,
        "more": max(0, (open_rows or len(selection.lines)) - len(drawn)),
    }


def column_label(name: str, metrics: Sequence[str] = ()) -> str:
    """What a column is called: a metric and a fact in the reader's words, a setting as it is typed."""
    if name in metrics:
        part, _, metric = name.partition(".")
        if metric and part in ("test", "validation", "train"):
            return score_label(part, metric)
        return metric_name(name)
    return catalogue(language()).get(f"page.column-{name.replace('.', '-')}", name)


def _choices(selection: Selection, rows: Sequence[Row]) -> list[list[str]]:
    """What can be a column, under the heading that it belongs to: what differs first."""
    different = differing(rows)
    settings = [name for name in selection.names.all if "." in name and name not in different]
    scores = selection.metrics
    settings = [name for name in settings if name not in scores]
    return [
        *(["differing", name, name] for name in different),
        *(["fact", name, column_label(name)] for name in _FACTS),
        *(["score", name, column_label(name, scores)] for name in scores),
        *(["setting", name, name] for name in sorted(settings)),
    ]


def _line(line: ListLine, columns: Sequence[str], metric: str, base: Row | None) -> dict[str, Any]:
    row = line.row
    own: tuple[str, ...] = row["_metrics"]
    score = row.get(metric)
    told = {
        "id": row["_id"],
        "name": row["name"],
        "title": row["title"],
        "kind": row["type"],
        "state": row["state"],
        "depth": line.depth,
        "below": line.below,
        "chip": _chip(line),
        "opened": line.opened,
        "star": row["star"],
        "tags": list(row["tag"]),
        "note": row["note"],
        "archived": row["archived"],
        "part": row["part"],
        "score": None if score is None else score_text(score),
        "other": "" if score is not None or not own else f"{metric_name(own[0])} {score_text(row[own[0]])}",
        "cells": [cell_text(row, column) for column in columns],
    }
    if base is not None:
        told["base"] = base["_id"] == row["_id"]
        told["differences"] = [_difference(row, base, column) for column in (metric, *columns)]
    return told


def _chip(line: ListLine) -> str:
    """What a row is that is no run, with the number of what lies in it where that is known before it is unfolded."""
    if line.row["type"] != "study":
        return ""
    if line.row.get("_search"):
        return say("page.search")
    return say("page.study-of", count=line.below) if line.below else say("page.study")


def cell_text(row: Mapping[str, Any], column: str) -> Any:
    """What stands in a cell: a text; the time of the last change as a number, None where nothing is known yet."""
    if column == CHANGED:
        return row["_changed"] or ""
    found = row.get(column)
    if found == UNREAD:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return text_of_fact(found)
    if _is_score(row, column):
        return score_text(found)
    return f"{found:,}" if column in _COUNTED else short(round(found, 1) if column == "seconds" else found)


def _difference(row: Row, base: Row, column: str) -> list[Any] | None:
    """How a cell differs from the baseline's, and whether that is better (1) or worse (-1); None where it does not."""
    if column in (CHANGED, SCORE) or row["_id"] == base["_id"]:
        return None
    mine: Any = row.get(column)
    other: Any = base.get(column)
    if mine is None or mine == other or UNREAD in (mine, other):
        return None
    if _is_number(mine) and _is_number(other):
        change: float = mine - other
        if abs(change) <= _FEWEST * max(abs(mine), abs(other)) or change != change:
            return None
        sign, size = "+" if change > 0 else "−", abs(change)
        if not _is_score(row, column):
            return [f"{sign}{short(size)}", 0]
        return [f"{sign}{score_text(size)}", 1 if (change > 0) != (column.rpartition(".")[2] in COSTS) else -1]
    text = cell_text(base, column)
    return [say("page.instead-of", value=text if text not in ("", None) else "–"), 0]


def _is_score(row: Mapping[str, Any], column: str) -> bool:
    return column in row["_metrics"] or column.startswith(("test.", "validation.")) or column == "train.loss"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _interval(score: MeanInterval | None, metric: str) -> list[str] | None:
    """Mean, lower and upper end; the mean alone where one run tells nothing of how far they lie apart."""
    if score is None:
        return None
    own = metric.partition(".")[2] if metric.startswith(_PARTS) else metric
    ends = (within_bounds(own, value) for value in (score.mean, score.low, score.high))
    return [score_text(value) for value in ends if value is not None]
