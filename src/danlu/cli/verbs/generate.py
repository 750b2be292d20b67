"""`danlu generate`: what is typed behind it, read and checked, and carried out."""

import argparse
from typing import Any

from danlu.base.errors import Faults
from danlu.cli.answering_run import opened
from danlu.cli.outcome import Outcome, print_text


def do_generate(arguments: argparse.Namespace) -> Outcome:
    """The text that a language model goes on with."""
    record = _generated(arguments)
    return Outcome(record, lambda console: print_text(console, record["text"]))


def _generated(arguments: argparse.Namespace) -> dict[str, Any]:
    """The text that a language model goes on with."""
    words: list[str] = arguments.words
    faults = Faults()
    numbers = {"tokens": 200, "temperature": 1.0, "top_k": None, "seed": 0}
    for key in numbers:
        text = getattr(arguments, key)
        if text is None:
            continue
        try:
            numbers[key] = float(text) if key == "temperature" else int(text)
        except ValueError:
            faults.add("cli.not-a-number", option=f"--{key.replace('_', '-')}", found=text[:100])
    if len(words) != 2:
        faults.add("cli.generate-what")
    faults.raise_if_any()
    run = opened(arguments, "generate")
    return {"run": str(run.folder), "text": run.generate(words[1], **numbers)}  # pyright: ignore[reportArgumentType]
