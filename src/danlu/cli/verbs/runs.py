"""`danlu runs`."""

import argparse
from collections.abc import Sequence
from typing import Any

from rich.console import Console

from danlu.base.words import say
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.words import check_one
from danlu.serve.facts import facts_of
from danlu.serve.index import IndexEntry
from danlu.serve.run import index_of
from danlu.store.where.names import FactNames
from danlu.view.listing.page import cell_text, column_label
from danlu.view.listing.query import USUAL_COLUMNS
from danlu.view.listing.table import CHANGED, Row, metrics_of, ordered, picked_rows
from danlu.view.tables import print_table

_MOST_ROWS = 200


def do_runs(arguments: argparse.Namespace) -> Outcome:
    """The runs and studies of a folder, or those of them that an expression picks, the newest first."""
    check_one("runs", arguments.words)
    index = index_of(arguments.words[0] if arguments.words else None)
    entries = index.entries(whole=True)
    rows, by_id = facts_of(entries), {entry.id: entry for entry in entries}
    names, metric = FactNames(rows), next(iter(metrics_of(rows)), "")
    sort = arguments.sort or f"-{CHANGED}"
    column = sort.removeprefix("-")
    sorted_by = f"{'-' * sort.startswith('-')}{names.resolve(column) or column}"
    picked = ordered(picked_rows(rows, arguments.where or "", names), sorted_by, metric)
    studies = {row["_id"]: row["name"] for row in rows}
    told = [_as_dict(by_id[row["_id"]], studies.get(row["_study"])) for row in picked]
    record = {"folder": str(index.folder), "runs": told}
    return Outcome(record, lambda console: _show(console, picked, metric, len(rows)))


def _as_dict(entry: IndexEntry, study: str | None) -> dict[str, Any]:
    """A run or a study as `--json` tells of it; these keys stay."""
    summary, notes = entry.summary, entry.notes
    return {
        "run": str(entry.path),
        "name": entry.name,
        "type": entry.kind,
        "state": summary.state,
        "study": study,
        "epochs": summary.epochs,
        "steps": summary.steps,
        "seconds": summary.seconds,
        "changed": summary.changed,
        "score": summary.scores,
        "settings": summary.settings,
        "findings": list(summary.rules or ()),
        "title": notes.title,
        "tags": list(notes.tags),
        "star": notes.star,
        "note": notes.note,
        "archived": notes.archived,
    }


def _show(console: Console, rows: Sequence[Row], metric: str, all_of_them: int) -> None:
    columns = [column for column in USUAL_COLUMNS if column != CHANGED]
    headings = [column_label("name"), column_label("state"), column_label(metric, [metric]) if metric else "–"]
    cells = [
        [row["title"] or row["name"], say(f"page.state-{row['state']}"), cell_text(row, metric) or "–"]
        + [cell_text(row, column) or "–" for column in columns]
        for row in rows[:_MOST_ROWS]
    ]
    print_table(console, [*headings, *map(column_label, columns)], cells)
    print_text(console, say("page.shown", shown=f"{len(rows):,}", all=f"{all_of_them:,}"))
