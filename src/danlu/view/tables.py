"""Tables for the terminal, drawn from plain records."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from danlu.base.printable import printable
from danlu.base.shapes import show_shape
from danlu.base.words import catalogue, language, say
from danlu.view.summary import summary_lines

_NUMBER = re.compile(r"-?[\d,]*\.?\d+(e[+-]\d+)?")


def print_table(console: Console, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under `headings` (ids of phrases, or texts); columns that hold numbers are set flush right."""
    known = catalogue(language())
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, heading in enumerate(headings):
        numeric = bool(cells) and all(_NUMBER.fullmatch(row[column]) for row in cells)
        shown = say(heading) if heading in known else escape(printable(heading))
        table.add_column(shown, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    console.print(table)


def print_summary(console: Console, run: Mapping[str, Any]) -> None:
    """The closing words on a run, from the object that `--json` prints: scores, where it lies, what to type next."""
    for number, line in enumerate(summary_lines(run)):
        style = "bold" if number == 0 and "test" in run["score"] else ""
        console.print(line, markup=False, soft_wrap=True, style=style)


def print_data_list(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """The catalogue of data sets, and where each of them is."""
    headings = ("name", "title", "licence", "path")
    absent = {True: say("view.bundled"), False: say("view.not-here")}
    cells = [[row[key] or absent[row["bundled"]] for key in headings] for row in rows]
    print_table(console, [f"view.data-{heading}" for heading in headings], cells)
    console.print(say("view.data-hint"), markup=False, soft_wrap=True)


_KNOWN = (
    "name",
    "title",
    "task",
    "sizes",
    "sample_shape",
    "tokens",
    "vocabulary",
    "features",
    "outputs",
    "mean",
    "std",
)
# A house has hundreds of columns once categories are; --json has them all.
_SHOWN = 20
_FACTS = (*_KNOWN, "licence", "source", "path")


def print_facts(console: Console, facts: Mapping[str, Any]) -> None:
    """What is known of one data set: one line a fact; the classes with their numbers as a table."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for key in _FACTS:
        value: Any = facts.get(key)
        if key == "task" and value:
            value = say(f"base.task-{value}")
        if key in ("sizes", "tokens") and value:
            value = "   ".join(f"{say(f'view.part-{part}').strip()} {count:,}" for part, count in value.items())
        if key == "vocabulary" and value:
            value = say(f"view.vocabulary-{value['kind']}", size=value["size"])
        if key == "path" and facts.get("bundled"):
            value = say("view.bundled")
        if key == "features" and value and len(value) > _SHOWN:
            value = [*value[:_SHOWN], say("view.and-more", count=len(value) - _SHOWN)]
        standardised = key in ("mean", "std") and facts.get("features")  # a table's columns: always 0 and 1
        if value not in (None, "", [], {}) and not standardised:
            table.add_row(say(f"view.fact-{key}"), _plain(value))
    console.print(table)
    classes = facts.get("classes")
    if isinstance(classes, Mapping):
        rows = [[name, *counts.values()] for name, counts in classes.items()]
        parts = next(iter(classes.values()))
        print_table(console, ["view.fact-class", *(f"view.part-{part}" for part in parts)], rows)
    for note in facts.get("notes", ()):
        console.print(f"! {note}", style="yellow", markup=False, soft_wrap=True)


def print_net_list(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """The catalogue of nets with their sizes."""
    print_table(console, [f"view.net-{heading}" for heading in rows[0]], [list(row.values()) for row in rows])
    console.print(say("view.nets-hint"), markup=False, soft_wrap=True)


def print_net(console: Console, net: Mapping[str, Any]) -> None:
    """One net, layer by layer."""
    headings = ("name", "kind", "output_shape", "parameters", "multiply_adds")
    cells = [[_plain(row[key]) if key == "output_shape" else row[key] for key in headings] for row in net["rows"]]
    print_table(console, [f"view.layer-{heading}" for heading in headings], cells)
    console.print(
        say(
            "view.net-totals",
            shape=_plain(net["sample_shape"]),
            parameters=net["parameters"],
            multiply_adds=net["multiply_adds"],
            options=", ".join(net["options"]),
        ),
        markup=False,
        soft_wrap=True,
    )
    train = say("view.net-train" if net["data"] else "view.net-train-series", net=net["name"], data=net["data"])
    console.print(train, markup=False, soft_wrap=True)


def _plain(value: Any) -> str:
    """A value as a person writes it: shapes as 1×28×28, lists with commas, numbers short."""
    if isinstance(value, list | tuple):
        if all(isinstance(entry, int) for entry in value):
            return show_shape(value)
        return ", ".join(_plain(entry) for entry in value)
    return f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
