"""`danlu claims`: the sentences of the notes, and the last verdict on each; what tests them is another file, for it
takes long to import."""

import argparse
from collections.abc import Sequence

from danlu.base.errors import fail
from danlu.base.files import replace_file
from danlu.base.places import claims_folder, shown
from danlu.base.words import say
from danlu.claims.catalogue import CLAIMS
from danlu.claims.result import ClaimResult, results_in
from danlu.cli import verbs
from danlu.cli.book_path import book_path
from danlu.cli.outcome import Outcome, print_text
from danlu.view.claims import print_claims, sentence
from danlu.view.claims_book import claims_book


def do_claims(arguments: argparse.Namespace) -> Outcome:
    """List the claims, or write the book of what was tested; all else is the test of some. UserError for what cannot be
    tested."""
    if arguments.words or arguments.all:
        return verbs.do_test_claims(arguments)
    return _book_of(results_in(claims_folder()), arguments.book) if arguments.book else _listed()


def _listed() -> Outcome:
    last = {one.claim: one.record["verdict"] for one in results_in(claims_folder())}
    rows = [
        {"id": one.id, "type": one.kind, "data": one.data, "minutes": one.minutes, "verdict": last.get(one.id)}
        for one in CLAIMS.values()
    ]
    record = {"claims": [{**row, "sentence": sentence({"claim": row["id"]})} for row in rows]}
    return Outcome(record, lambda console: print_claims(console, rows))


def _book_of(results: Sequence[ClaimResult], word: str) -> Outcome:
    """The book of what was tested here already."""
    path = book_path(word)
    if not results:
        fail("claims.nothing-tested")
    order = {id: number for number, id in enumerate(CLAIMS)}
    ordered = sorted(results, key=lambda one: (order.get(one.claim, len(order)), one.claim))
    replace_file(path, claims_book([one.record for one in ordered]).encode())
    text = say("claims.book-written", path=shown(path))
    return Outcome({"book": str(path), "claims": len(ordered)}, lambda console: print_text(console, text))
