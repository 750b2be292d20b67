"""The entry point: language, verb, and how errors leave the program."""

import argparse
import contextlib
import functools
import signal
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from danlu import __version__
from danlu.base.errors import DanluError, Fault, UserError, fail, nearest
from danlu.base.input_files import path_kind
from danlu.base.memory import memory_guard
from danlu.base.own_code import failing_line
from danlu.base.places import is_follower
from danlu.base.printable import printable
from danlu.base.starting import INTERRUPTED
from danlu.base.strict_json import to_json
from danlu.base.telling import tell
from danlu.base.words import say, use_language
from danlu.cli import results, verbs
from danlu.cli.outcome import Outcome
from danlu.cli.parser import INSTEAD, VERBS, overview, parse, split_script, take_language, verb_parser
from danlu.cli.streams import open_streams, put_out
from danlu.cli.words import target_asked
from danlu.run.interrupt import Interrupted
from danlu.view.terminal import PlainConsole

_UNFOLDED = 10_000


def main(tokens: Sequence[str] | None = None) -> int:
    """Carry out one command line; the exit code: 0 done, 1 a check failed, 2 a user's mistake, 3 the training diverged,
    130 interrupted.
    """
    tokens = list(sys.argv[1:] if tokens is None else tokens)
    tokens, script = split_script(tokens)
    as_json = "--json" in tokens
    open_streams()
    try:
        with memory_guard("any"):
            language, tokens = take_language(tokens)
            use_language(language)
            return _do([token for token in tokens if token != "--json"], as_json, script)
    except DanluError as error:
        _tell([str(fault) for fault in error.faults], as_json)
        return error.exit_code
    except Exception as error:
        line = failing_line(error)
        if line is None:
            raise
        told = {"file": Path(line[0]).name, "line": line[1], "error": type(error).__name__, "words": error}
        _tell([say("nets.own-fails", **told)], as_json)
        return UserError.exit_code
    except KeyboardInterrupt:
        _tell([say("cli.interrupted-before")], as_json)
        return INTERRUPTED


@contextlib.contextmanager
def _interruptible() -> Generator[None]:
    """Let Ctrl-C and SIGTERM end the block as a KeyboardInterrupt (in the main thread; elsewhere Python cannot)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.default_int_handler) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _do(tokens: list[str], as_json: bool, script: Sequence[str]) -> int:
    carry_out = _understood(tokens, as_json, script)
    with _interruptible():
        outcome, code = carry_out()

        def show() -> None:
            if as_json:
                for piece in outcome.json():
                    print(piece, end="")
                print()
            else:
                # Without a terminal nothing is folded: a line of a table stays a line.
                outcome.show(PlainConsole(width=None if sys.stdout.isatty() else _UNFOLDED))

        lost = "" if outcome.silent or is_follower() else put_out(show)
        outcome.then()
    if lost:
        tell(f"✖ {say('cli.output-lost', reason=lost)}")
    return code or (1 if lost else 0)


def _understood(tokens: list[str], as_json: bool, script: Sequence[str]) -> Callable[[], tuple[Outcome, int]]:
    """What the words ask for, ready to be carried out: what there is to tell then, and the exit code; `script` are the
    words of a program that is to be run.

    The verb is imported here, which takes seconds where it trains: base/starting.py still has the signals.
    """
    if tokens and tokens[0] == "help":
        tokens = [*tokens[1:], "--help"]
    if not tokens or tokens[0] in ("-h", "--help"):
        return lambda: (Outcome.of_text("help", overview()), 0)
    if tokens == ["--version"]:
        return lambda: (Outcome.of_text("version", __version__), 0)
    name = tokens[0]
    if name not in VERBS and path_kind(name) != "missing":
        fail("cli.word-is-data", word=name)
    if name not in VERBS:
        hint = Fault("cli.instead", {"command": INSTEAD[name]}) if name in INSTEAD else nearest(name, VERBS)
        fail("cli.unknown-verb", verb=name, verbs=", ".join(VERBS), hint=hint)
    arguments = parse(VERBS[name], tokens[1:])
    if arguments.help:
        return lambda: (Outcome.of_text("help", verb_parser(VERBS[name]).format_help()), 0)
    arguments.json, arguments.script = as_json, script
    return functools.partial(_done, getattr(verbs, f"do_{name.replace('-', '_')}"), arguments)


def _done(do: Callable[[argparse.Namespace], Outcome], arguments: argparse.Namespace) -> tuple[Outcome, int]:
    """The verb carried out; where only the column to predict is missing, a person at a terminal is asked for it."""
    try:
        try:
            outcome = do(arguments)
        except UserError as error:
            arguments.target = target_asked(error, arguments.json)
            if arguments.target is None:
                raise
            outcome = do(arguments)
    except Interrupted as stopped:
        return results.of_interrupted(stopped), INTERRUPTED
    return outcome, outcome.code


def _tell(sentences: Sequence[str], as_json: bool) -> None:
    if is_follower():  # the first process of the training tells what it is told
        return
    if as_json:
        put_out(lambda: print(to_json({"error": list(sentences)})))
    for sentence in sentences:
        tell(printable(f"✖ {sentence}"))
    if len(sentences) > 1:
        tell(say("cli.faults", count=len(sentences)))
