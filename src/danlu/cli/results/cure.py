"""A cure as commands tell of it."""

from pathlib import Path

from danlu.cli.outcome import Outcome, print_text
from danlu.lab.cure.proof import Proof
from danlu.study.study import Study
from danlu.view.cure import cure_lines


def of_proof(tried: Proof | Study, written: Path | None = None) -> Outcome:
    """What is told of a cure, or of the study that tried it; `written` is the file of the cured recipe."""
    proof = Proof.of_study(tried) if isinstance(tried, Study) else tried
    record = {**proof.as_dict(), "applied": None if written is None else str(written)}
    return Outcome(record, lambda console: print_text(console, "\n".join(cure_lines(record))))
