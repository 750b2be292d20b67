"""`danlu claims ID`, FILE.toml, FOLDER or --all: sentences put to the test."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from danlu.base.errors import Faults, fail
from danlu.base.files import replace_file
from danlu.base.input_files import path_kind
from danlu.base.places import shown
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.claims.catalogue import CLAIMS, entry_of
from danlu.claims.check import carried_out, command_of, options_of, plan_of
from danlu.claims.options import ClaimOptions
from danlu.claims.own import OwnClaim, read_own, write_template
from danlu.claims.result import ClaimResult
from danlu.cli.book_path import book_path
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.words import check_one
from danlu.study.reached import check_cluster
from danlu.view.claims import print_plan, sentence, verdict_words
from danlu.view.claims_book import claims_book

_GUESSES = {"1": "more", "2": "less", "3": "none", "4": "depends"}


def do_test_claims(arguments: argparse.Namespace) -> Outcome:
    """Test a claim, or all, or those of files of a user's own; or tell their plans. UserError for what cannot be."""
    words: list[str] = arguments.words
    if words[:1] == ["new"]:
        return _new(words[1:])
    check_one("claims", words)
    options = _options(arguments)
    if arguments.all and words:
        fail("claims.all-or-one", found=words[0])
    claims = list(CLAIMS) if arguments.all else words
    if arguments.plan:
        return _plans(claims, options)
    if arguments.guess:
        _guess_possible(arguments)
    book = None if arguments.book is None else book_path(arguments.book)
    how = {"guess": arguments.guess, "quiet": arguments.json, "cluster": arguments.cluster}
    check_cluster(arguments.cluster, None)
    found = [one for claim in claims for one in _tested(claim, options, **how)]
    if book is not None:
        replace_file(book, claims_book([one.record for one in found]).encode())
        tell(say("claims.book-written", path=shown(book)))
    return _told(found, one=not arguments.all and len(found) == 1)


def _options(arguments: argparse.Namespace) -> ClaimOptions:
    faults = Faults()
    numbers: dict[str, Any] = {"seeds": None, "margin": None}
    for name, kind in (("seeds", int), ("margin", float)):
        word = getattr(arguments, name)
        if word is not None:
            try:
                numbers[name] = kind(word)
            except ValueError:
                faults.add("cli.not-a-number", option=f"--{name}", found=word)
    faults.raise_if_any()
    return options_of(arguments.data, arguments.target, arguments.net, numbers["seeds"], numbers["margin"])


def _plans(words: Sequence[str], options: ClaimOptions) -> Outcome:
    plans: list[dict[str, Any]] = []
    for word in words:
        own = _own_claims(word)
        if own:
            plans += [{**one.effect.plan(options).as_dict(), "sentence": one.sentence} for one in own]
        else:
            plans.append(plan_of(word, options).as_dict())

    def show(console: Any) -> None:
        for plan in plans:
            print_plan(console, plan)

    return Outcome(plans[0] if len(plans) == 1 else {"plans": plans}, show)


def _tested(
    word: str, options: ClaimOptions, *, guess: bool, quiet: bool, cluster: str | None
) -> Iterator[ClaimResult]:
    """The results of a claim of the notes, of a file, or of all files of a folder."""
    own = _own_claims(word)
    ids = [one.id for one in own] or [entry_of(word).id]
    for number, id in enumerate(ids):
        guessed = _guessed(own[number].sentence if own else sentence({"claim": id})) if guess else ""

        def note(lot: str, id: str = id) -> None:
            if not quiet and sys.stderr is not None and sys.stderr.isatty():
                tell(say("claims.lot", claim=id, lot=lot))

        if own:
            about = {"type": "own", "sentence": own[number].sentence, "command": f"danlu claims {word}"}
            result = carried_out(own[number].effect, options, about, None, note, cluster)
        else:
            about = {"type": entry_of(id).kind, "command": command_of(id, options)}
            result = carried_out(entry_of(id).claim(), options, about, None, note, cluster)
        if guessed:
            _answer_guess(guessed, result)
        yield result


def _own_claims(word: str) -> list[OwnClaim]:
    """The claims in a TOML file or in all of a folder; none where the word is no file."""
    path = Path(word)
    if word.endswith(".toml"):
        return [read_own(path)]
    if word not in CLAIMS and path_kind(path) == "folder":
        files = sorted(path.glob("*.toml"))
        if not files:
            fail("claims.empty-folder", path=path)
        return [read_own(file) for file in files]
    return []


def _told(found: Sequence[ClaimResult], *, one: bool) -> Outcome:
    if one:
        return Outcome(found[0].as_dict(), lambda console: print_text(console, str(found[0])))
    lines = [f"{result.claim}: {verdict_words(result.record['verdict'])}" for result in found]
    record = {"claims": [result.as_dict() for result in found]}
    return Outcome(record, lambda console: print_text(console, "\n".join(lines)))


def _new(words: Sequence[str]) -> Outcome:
    check_one("claims new", list(words))
    if not words:
        fail("claims.new-needs-file")
    path = Path(words[0])
    write_template(path)
    return Outcome.of_text("file", say("claims.new-written", path=shown(path)))


def _guess_possible(arguments: argparse.Namespace) -> None:
    stdin = sys.stdin
    if arguments.json or stdin is None or not stdin.isatty():
        fail("claims.guess-needs-terminal")


def _guessed(claim: str) -> str:
    """What the person at the terminal expects; nothing where she does not say."""
    tell(claim)
    print(say("claims.expect"), end="", file=sys.stderr, flush=True)
    return _GUESSES.get(sys.stdin.readline().strip(), "")


def _answer_guess(guessed: str, result: ClaimResult) -> None:
    words = verdict_words(result.record["verdict"])
    right = guessed == came_to(result)
    tell(say("claims.guessed-right" if right else "claims.guessed-wrong", verdict=words))


def came_to(result: ClaimResult) -> str:
    """What the measure did at the later levels: "more", "less", "none", or that it "depends" (or is not known)."""
    open_words = ("no difference", "undecided")
    comparisons = result.record["comparisons"]
    signs = {one["told"] if one["told"] in open_words else one["mean"] > 0 for one in comparisons}
    if signs == {True}:
        return "more"
    if signs == {False}:
        return "less"
    return "none" if signs == {"no difference"} else "depends"
