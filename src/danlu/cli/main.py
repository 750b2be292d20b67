"""The entry point: language, verb, and how errors leave the program."""

import os
import sys
from collections.abc import Sequence

from rich.console import Console

from danlu import __version__
from danlu.base.errors import DanluError, UserError, fail, nearest
from danlu.base.records import to_json
from danlu.base.words import say, use_language
from danlu.cli.parser import VERBS, overview, parse, take_language, verb_parser
from danlu.cli.verbs import DOERS, Outcome
from danlu.lab.interrupt import Interrupted

INTERRUPTED = 130


def main(tokens: Sequence[str] | None = None) -> int:
    """Carry out one command line; the exit code: 0 done, 2 a mistake of the user's, 130 interrupted."""
    tokens = list(sys.argv[1:] if tokens is None else tokens)
    as_json = "--json" in tokens
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a sign that the terminal's encoding lacks is no reason to fail
    try:
        language, tokens = take_language(tokens)
        use_language(language)
        return _do([token for token in tokens if token != "--json"], as_json)
    except DanluError as error:
        _tell([str(fault) for fault in error.faults], as_json)
        return error.exit_code
    except KeyboardInterrupt:
        _tell([say("cli.interrupted-before")], as_json)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (a pager, head) has gone; Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _do(tokens: list[str]) -> int:
    if tokens == ["--version"]:
        print(__version__)
        return 0
    if not tokens or tokens[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    name = tokens[0]
    if name not in VERBS:
        fail("cli.unknown-verb", verb=name, verbs=", ".join(VERBS), hint=nearest(name, VERBS))
    arguments = parse(VERBS[name], tokens[1:])
    if arguments.help:
        print(verb_parser(VERBS[name]).format_help())
        return 0
    code = 0
    try:
        outcome = DOERS[name](arguments)
    except Interrupted as stopped:
        outcome = Outcome.interrupted(stopped.folder)
        code = INTERRUPTED
    if arguments.json:
        print(to_json(outcome.record))
    else:
        outcome.show(Console(highlight=False))
    return code


def _tell(error: DanluError, as_json: bool) -> int:
    sys.stdout.flush()
    if as_json:
        print(to_json({"error": [str(fault) for fault in error.faults]}))
    for fault in error.faults:
        print(f"✖ {fault}", file=sys.stderr)
    if isinstance(error, UserError) and len(error.faults) > 1:
        print(say("cli.faults", count=len(error.faults)), file=sys.stderr)
    return error.exit_code
