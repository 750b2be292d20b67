"""The closing words on a run, from the object that `--json` prints: scores, which weights, how it ended, how long."""

import math
from collections.abc import Mapping
from typing import Any

from danlu.base.metric_names import divided, metric_name
from danlu.base.naming import listed
from danlu.base.places import shown
from danlu.base.printable import printable
from danlu.base.words import say
from danlu.store.records import ImportedFrom, ParentRun
from danlu.view.figures.names import score_text

_MOST_FILES = 3


def summary_lines(run: Mapping[str, Any]) -> list[str]:
    """Line by line; the first is the test score of a finished run, where it has one."""
    folder = shown(run["run"])
    if script := run.get("script"):
        facts = {"script": printable(script["name"]), "steps": run["steps"], "findings": len(run["findings"])}
        return [say("view.script", **facts, training=f"{run['training_seconds']:.1f}", run=folder)]
    if not run["finished"]:
        return [say("view.unfinished", steps=run["steps"], run=folder)]
    lines = []
    for part in ("test", "validation", "train"):
        if part in run["score"]:
            whole, each = divided(run["score"][part])
            lines.append(f"{say(f'view.part-{part}')}  {score_words(whole)}")
            lines += [f"    {printable(target)}  {score_words(score)}" for target, score in each.items()]
        if part == "test":
            lines += baseline_lines(run.get("baselines", {}), run["score"].get("test", {}))
    if run["diverged"]:
        lines.append(say("view.diverged", step=f"{run['diverged_since']:,}", run=folder))
    if imported := run.get("imported"):
        origin = imported_line(ImportedFrom(source=imported["source"], files=tuple(imported["files"])))
        return [*lines, origin, say("view.closing-imported", epochs=run["epochs"], steps=run["steps"], run=folder)]
    lines += [] if run["diverged"] and run["scored"]["weights"] == "last" else [scored_line(run)]
    if parent := run.get("parent"):
        lines.append(parent_line(ParentRun(**parent)))
    seconds = {name: f"{run[key]:.1f}" for name, key in _SECONDS.items()}
    return [*lines, say("view.closing", epochs=run["epochs"], steps=run["steps"], run=folder, **seconds)]


def imported_line(imported: ImportedFrom) -> str:
    """Where an imported run comes from."""
    files = listed((shown(file) for file in imported.files), _MOST_FILES)
    return say("view.imported", source=say(f"view.source-{imported.source}"), files=printable(files))


def baseline_lines(baselines: Mapping[str, Mapping[str, float]], score: Mapping[str, float]) -> list[str]:
    """The naive forecasts of a time series' test part, and whether one is as good as the net."""
    lines = [f"    {say(f'view.baseline-{name}')}  {score_words(one)}" for name, one in baselines.items()]
    better = [name for name, one in baselines.items() if not score.get("mae", math.nan) < one.get("mae", math.inf)]
    if better:
        best = min(better, key=lambda name: baselines[name].get("mae", math.inf))
        lines.append(f"    ! {say('view.below-baseline', baseline=say(f'view.baseline-{best}'))}")
    return lines


def score_words(score: Mapping[str, float]) -> str:
    """Scores side by side; that of a rare class says where there is no sample of it to score.

    >>> score_words({"accuracy": 0.9, "average_precision": math.nan})
    'accuracy 0.9000   average precision – (no sample of the rare class)'
    """
    return "   ".join(_number(name, value, score) for name, value in score.items())


def _number(name: str, value: float, score: Mapping[str, float]) -> str:
    if name == "average_precision" and math.isnan(value) and math.isfinite(score.get("loss", 0.0)):
        return say("view.rare-absent", metric=metric_name(name))
    return f"{metric_name(name)} {score_text(value)}"


def parent_line(parent: ParentRun) -> str:
    """What a run began from."""
    way = "further" if parent.further else "weights"
    return say(f"view.parent-{way}", run=shown(parent.folder), epoch=parent.epoch)


_SECONDS = {"seconds": "seconds", "loading": "loading_seconds", "training": "training_seconds"}


def scored_line(run: Mapping[str, Any]) -> str:
    """Which weights were scored, and why; and what to set where others are better by more than chance."""
    scored, train = run["scored"], run["recipe"]["train"]
    facts = {key: scored[key] for key in ("epoch", "best_epoch")}
    facts |= {key: score_text(scored[key]) for key in ("last", "best")}
    facts["metric"] = metric_name(scored["metric"]) if scored["metric"] else ""
    if scored["weights"] == "best":
        why = "asked" if train.get("weights") == "best" else "early"
        return say(f"view.scored-best-{why}", patience=train.get("patience"), **facts)
    if not scored["best_epoch"]:
        return say("view.scored-last-alone", **facts)
    if scored["best_epoch"] == scored["epoch"]:
        return say("view.scored-last-is-best", **facts)
    if facts["last"] == facts["best"]:
        return say("view.scored-last-equal", **facts)
    return say("view.scored-last-worse" if scored["clear"] else "view.scored-last-as-good", **facts)
