"""Claims in words: the plan, the verdict and what it rests on, from the plain records of `danlu claims --json`."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from danlu.base.counts import is_whole
from danlu.base.printable import printable
from danlu.base.words import say
from danlu.view.claim_labels import label, place, word

_FAILED = {"placebo": "claims.failed-placebo", "positive": "claims.failed-positive", "tuning": "claims.failed-tuning"}


def sentence(record: Mapping[str, Any]) -> str:
    """The claim itself, in the language in force, or as its author wrote it."""
    own = record.get("sentence")
    claim: str = record["claim"]
    return printable(own) if own else say(f"notes.say-{claim}")


def reason(record: Mapping[str, Any]) -> list[str]:
    """Why people believe it, and which notes say it; nothing of a claim of a user's own."""
    if record.get("sentence"):
        return []
    claim: str = record["claim"]
    why, source = say(f"notes.why-{claim}"), say(f"notes.source-{claim}")
    return [say("claims.why", why=why), say("claims.source", source=source)]


def verdict_words(verdict: Mapping[str, Any]) -> str:
    """A verdict in words.

    >>> verdict_words({"word": "undecided", "more": 7, "open": ["b / a"]})
    'undecided (about 7 more seeds)'
    """
    said: str = verdict["word"]
    facts: dict[str, Any] = {}
    if said == "undecided" and verdict["more"]:
        return say("claims.verdict-undecided-more", more=verdict["more"])
    if said in ("exact", "not exact"):
        facts = {"difference": _small(verdict["difference"])}
    elif said == "not tested":
        facts = {"why": _comma(say(_FAILED[kind]) for kind in verdict["failed"])}
    elif said == "holds only when":
        facts = {"where": _comma(map(place, verdict["where"]))}
        if verdict.get("opposite"):
            return say("claims.verdict-both", **facts, opposite=_comma(map(place, verdict["opposite"])))
    elif said == "the opposite holds" and verdict["open"]:
        return say("claims.verdict-the-opposite-holds-when", where=_comma(map(place, verdict["where"])))
    return say(f"claims.verdict-{said.replace(' ', '-')}", **facts)


def plan_lines(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a plan says, part by part: its name and its words."""
    lines: list[tuple[str, str]] = []
    for name, value in plan.items():
        if name in ("claim", "hash", "sentence") or value in ({}, [], ""):
            continue
        lines.append((say(f"claims.plan-{name}"), _part(name, value)))
    return lines


def _part(name: str, value: Any) -> str:
    if name == "measure":
        return word(value)
    if name == "expected":
        return say(f"claims.expected-{value}")
    if name == "stopping":
        return say(f"claims.stop-{str(value).replace(' ', '-')}")
    if name == "nuisance":
        grids = value.get("optim.lr", {})
        same = len({tuple(grid) for grid in grids.values()}) == 1
        shown = next(iter(grids.values())) if same else grids
        return say(
            "claims.nuisance", grid=_plain(shown), growths=value.get("growths", 0), count=len(value.get("seeds", []))
        )
    if name == "controls" and "placebo" in value:
        placebo, positive = place(value["placebo"]), value["positive"]
        if isinstance(positive, str):
            return say("claims.controls-own", placebo=placebo, positive=place(positive))
        return say("claims.controls", placebo=placebo, positive=f"{positive:g}")
    if name == "checks":
        return _comma(f"{say(f'claims.check-{one}')} ≤ {_small(most)}" for one, most in value.items())
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        parts = [
            printable(str(key)) if part in ({}, None) else f"{printable(str(key))}: {_plain(part)}"
            if isinstance(part, Mapping) else f"{printable(str(key))}={_plain(part)}"
            for key, part in value.items()
        ]  # fmt: skip
        return "; ".join(parts)
    if isinstance(value, list | tuple):
        numbers = list(value)
        if (
            len(numbers) > 3
            and all(is_whole(one) for one in numbers)
            and numbers == [*range(numbers[0], numbers[-1] + 1)]
        ):
            return f"{numbers[0]} … {numbers[-1]}"
        return ", ".join(_plain(one) for one in numbers)
    return f"{value:g}" if isinstance(value, float) else printable(str(value))


def claim_text(record: Mapping[str, Any]) -> str:
    """All that was found of a claim, line by line."""
    verdict = record["verdict"]
    lines = [sentence(record), *reason(record), "", say("claims.verdict", verdict=verdict_words(verdict))]
    if verdict["open"] and verdict["word"] != "undecided":
        lines.append(say("claims.still-open", open=_comma(map(place, verdict["open"]))))
    if record.get("left_out"):
        lines.append(say("claims.left-out", places=_comma(map(label, record["left_out"]))))
    lines += ["", *(f"  {comparison_text(one)}" for one in record["comparisons"])]
    lines += [f"  {check_text(one)}" for one in record["checks"]]
    lines += [f"  {control_text(one)}" for one in record["controls"]]
    lines += ["", *published_lines(record)]
    if record.get("miniature"):
        lines.append(say("claims.miniature"))
    facts = {"date": record.get("date", ""), "seconds": record.get("seconds", ""), "hash": record["plan"]["hash"]}
    return "\n".join([*lines, say("claims.repeat", command=record["command"]), say("claims.facts", **facts)])


def comparison_text(one: Mapping[str, Any]) -> str:
    """One comparison: the means, the difference with its interval, and what it says of the claim."""
    facts = {
        "place": _place(one),
        "measure": word(one["measure"]),
        "before": _number(one["means"][0]),
        "after": _number(one["means"][1]),
        "pairs": one["pairs"],
        "told": say(f"claims.told-{one['told'].replace(' ', '-')}"),
    }
    ends = {name: one[name] for name in ("mean", "low", "high")}
    known = all(isinstance(value, int | float) for value in ends.values())
    text = (
        say("claims.comparison", **facts, **{name: f"{value:+.4g}" for name, value in ends.items()})
        if known
        else say("claims.comparison-open", **facts)
    )
    own = {level: one["rates"][level] for level in (one["before"], one["after"]) if level in one["rates"]}
    if not own:
        return text
    rates = ", ".join(f"{label(level)}: {rate:g}" for level, rate in own.items())
    return f"{text}   ({say('claims.rates', rates=rates)})"


def _place(one: Mapping[str, Any]) -> str:
    levels = say("claims.against", after=place(one["after"]), before=place(one["before"]))
    return f"{place(one['condition'])}: {levels}" if one["condition"] else levels


def check_text(one: Mapping[str, Any]) -> str:
    """One numerical check: how far apart two ways came out."""
    facts = {"difference": _small(one["difference"]), "tolerance": _small(one["tolerance"])}
    return say("claims.check", name=say(f"claims.check-{one['name']}"), **facts)


def control_text(one: Mapping[str, Any]) -> str:
    """One control, and whether it came out as it had to."""
    passed = say("claims.control-passed" if one["passed"] else "claims.control-failed")
    kind: str = one["control"]
    text = f"{say(f'claims.control-{kind}')}: {passed}"
    comparison = one["comparison"]
    if comparison is None:
        return f"{text}   {_comma(map(label, one['levels']))}" if one["levels"] else text
    if not all(isinstance(comparison[name], int | float) for name in ("mean", "low", "high")):
        return f"{text}   {_place(comparison)}"
    ends = {name: f"{comparison[name]:+.4g}" for name in ("mean", "low", "high")}
    facts = {"place": _place(comparison), "measure": word(comparison["measure"])}
    return f"{text}   {say('claims.control-numbers', **facts, **ends)}"


def published_lines(record: Mapping[str, Any]) -> list[str]:
    """What was measured elsewhere, and whether ours agrees with it in sign."""
    lines: list[str] = []
    for one in record.get("published", []):
        facts = {"source": printable(one["source"]), "finds": say(f"claims.finds-{one['finds'].replace(' ', '-')}")}
        lines.append(f"{say('claims.published', **facts)}; {say(f'claims.ours-{agreement(record, one)}')}")
    return lines


def agreement(record: Mapping[str, Any], published: Mapping[str, Any]) -> str:
    """Whether our verdict "agrees" with a published one, "differs", or is "open"."""
    said = record["verdict"]["word"]
    if said in ("undecided", "not tested"):
        return "open"
    told = "finds no difference"
    if said in ("holds", "holds only when", "exact"):
        told = "agrees with the claim"
    elif said in ("the opposite holds", "not exact"):
        told = "disagrees with the claim"
    return "agrees" if told == published["finds"] else "differs"


def print_claims(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a claim: id, kind, data, minutes, the last verdict, and the sentence."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "kind", "data", "minutes", "verdict", "sentence"):
        table.add_column(say(f"claims.list-{heading}"), overflow="fold")
    for row in rows:
        table.add_row(
            Text(row["id"], style="bold"),
            say(f"claims.kind-{row['type']}"),
            row["data"],
            f"{row['minutes']:g}",
            verdict_words(row["verdict"]) if row["verdict"] else "",
            sentence({"claim": row["id"]}),
        )
    console.print(table)
    console.print(say("claims.list-hint"), markup=False, soft_wrap=True)


def print_plan(console: Console, plan: Mapping[str, Any]) -> None:
    """The plan of a claim, part by part."""
    console.print(sentence(plan), style="bold", markup=False, soft_wrap=True)
    console.print(say("claims.plan", hash=plan["hash"]), markup=False)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in plan_lines(plan):
        table.add_row(Text(f"  {name}"), Text(text))
    console.print(table)


def _comma(parts: Any) -> str:
    return say("base.finding-comma").join(printable(str(part)) for part in parts)


def _small(value: Any) -> str:
    return f"{value:.1g}" if isinstance(value, float) else str(value)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "–"
