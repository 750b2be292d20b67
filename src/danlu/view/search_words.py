"""A search in words and tables, once for the terminal, the page and the report: from the object `--json` prints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from danlu.base.metric_names import metric_name
from danlu.base.places import shown
from danlu.base.words import say
from danlu.view.figures.names import last_parts, score_text
from danlu.view.info.effects import level_text
from danlu.view.study_words import TextTable, best_text, told_times


@dataclass(frozen=True)
class ToldSearch:
    """All that is said of a search: its trials, the best first, how many came how far, and the best."""

    trials: TextTable
    counts: str
    best: str
    closing: str


def told_search(search: Mapping[str, Any]) -> ToldSearch:
    """What a search says, in the language in force; `search` is the object that `danlu compare --json` prints."""
    counts = {name: search[name] for name in ("trainings", "full_trainings", "dropped", "diverged", "failed", "rounds")}
    return ToldSearch(
        trials=_trials(search),
        counts=say("search.counts", trials=len(search["trials"]), **counts),
        best=_best(search),
        closing=say("search.closing", folder=shown(search["study"]), **told_times(search)),
    )


def _best(search: Mapping[str, Any]) -> str:
    if search["best"]:
        return best_text(search)
    if search["finished"]:
        return say("search.no-best")
    return say("search.unfinished", folder=shown(search["study"]))


def _trials(search: Mapping[str, Any]) -> TextTable:
    """A row a trial, with a column for each setting that is searched."""
    metric = search["metric"]
    keys = list(dict.fromkeys(key for trial in search["trials"] for key in trial["factors"]))
    heads = [*last_parts(keys), metric_name(metric), metric_name("loss")]
    rows = [
        [
            *(level_text(trial["factors"].get(key, "–")) for key in keys),
            *(score_text(trial["score"][name]) if name in trial["score"] else "" for name in (metric, "loss")),
            str(trial["epochs"]),
            say(f"search.state-{trial['state']}"),
        ]
        for trial in search["trials"]
    ]
    return TextTable([*heads, say("search.epochs"), say("search.came")], rows)
