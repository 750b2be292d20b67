"""What is known of a run or a study as one flat row of facts: what an expression asks for, and what the list shows."""

from collections.abc import Iterable, Mapping
from typing import Any

from danlu.base.own_code import short_name
from danlu.base.words import say
from danlu.serve.index import IndexEntry
from danlu.store.study_history import StudyHistory
from danlu.store.where.match import UNREAD
from danlu.store.where.names import PARTS
from danlu.view.info.effects import setting_text
from danlu.view.listing.table import MEMBER

_MOST_MEMBERS = 500


def facts_of(entries: Iterable[IndexEntry]) -> list[dict[str, Any]]:
    """A row for each entry. Names that begin with "_" are the list's own, and no expression can ask for them."""
    entries = list(entries)
    studies = {entry.id: entry.name for entry in entries if entry.kind == "study"}
    return [_row(entry, studies.get(entry.study)) for entry in entries]


def _row(entry: IndexEntry, study: str | None) -> dict[str, Any]:
    summary, notes = entry.summary, entry.notes
    rules = UNREAD if summary.rules is None else summary.rules
    row: dict[str, Any] = dict(summary.settings)
    for part, score in summary.scores.items():
        row.update((f"{part}.{metric}", value) for metric, value in score.items())
    row.update(summary.score)
    net = row.get("net.class") or row.get("net.name")
    row |= {
        "name": entry.name,
        "title": notes.title,
        "type": entry.kind,
        "state": summary.state,
        "study": study,
        "finding": rules,
        "findings": UNREAD if summary.rules is None else len(summary.rules),
        "tag": notes.tags,
        "star": notes.star,
        "note": notes.note,
        "archived": notes.archived,
        "part": summary.part if summary.state in ("finished", "diverged") else "validation",
        "epochs": summary.epochs or None,
        "steps": summary.steps or None,
        "seconds": summary.seconds or None,
        "_id": entry.id,
        "_study": entry.study,
        "_turn": entry.turn,
        "_changed": summary.changed,
        "_metrics": tuple(summary.score),
        "_members": summary.members,
        "_search": summary.search,
    }
    if net:
        row["net.name"] = short_name(str(net))
    if "data.name" not in row and row.get("data.path"):
        row["data.name"] = str(row["data.path"]).replace("\\", "/").rpartition("/")[2]
    return row


def members_of(study: Mapping[str, Any], history: StudyHistory) -> list[dict[str, Any]]:
    """A row for each training that the journal of a study tells of, with the study's settings and its own levels;
    those with a run of their own are rows already. `study` is the row of the study."""
    scores = {f"{part}.{metric}" for part in PARTS for metric in study["_metrics"]}
    shared = {key: value for key, value in study.items() if "." in key and key not in scores}
    rows: list[dict[str, Any]] = []
    for number, member in enumerate(history.members[:_MOST_MEMBERS]):
        told = f"{setting_text(member.factors)} · {say('page.seed')} {member.seed}"
        row: dict[str, Any] = {**shared, **member.factors}
        row.update((f"validation.{metric}", value) for metric, value in member.score.items())
        row.update(member.score)
        own = dict.fromkeys(("tag", "note", "title", "seconds", "steps", "finding", "findings"))
        rows.append(
            row | own | {
                "name": told, "title": "", "note": "", "tag": (), "type": MEMBER, "star": False, "archived": False,
                "state": "diverged" if member.diverged else "finished", "study": study["name"], "part": "validation",
                "epochs": member.epochs or None, "train.seed": member.seed, "data.fold": member.fold,
                "_id": f"{study['_id']}-{number}", "_study": study["_id"], "_turn": -number, "_changed": 0.0,
                "_metrics": tuple(member.score), "_members": 0,
            }
        )  # fmt: skip
    return rows
