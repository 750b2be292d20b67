"""claims.check: a sentence of the notes, tested."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from danlu.base.memory import memory_guard
from danlu.base.places import claims_folder, shown
from danlu.base.seeds import hardware
from danlu.claims.bench import Bench
from danlu.claims.catalogue import entry_of
from danlu.claims.claim import Claim
from danlu.claims.evidence import ClaimEvidence
from danlu.claims.options import ClaimOptions
from danlu.claims.plan import ClaimPlan
from danlu.claims.result import ClaimResult, read_result, write_result
from danlu.claims.verdict import judge
from danlu.study.reached import check_cluster, connected

VERSION = 1


@memory_guard("study")
def check(
    claim: str,
    data: str | Path | None = None,
    *,
    target: str | None = None,
    net: str | None = None,
    seeds: int | None = None,
    margin: float | None = None,
    folder: str | Path | None = None,
    miniature: bool = False,
    cluster: object = None,
    note: Callable[[str], None] = lambda lot: None,
) -> ClaimResult:
    """Test the claim called `claim`, by its plan, on its own data or on yours.

    data: a data set by name, or a file with its `target` column; None: the claim's own.
    net: a net by name; None: the claim's own.
    seeds: trainings of each level; None: as many as the plan says.
    margin: the largest difference that counts as none, in the unit of the measure.
    folder: where its trainings and its record are kept; None: claims/ID-HASH. What was broken off there goes on, what
        was done is read.
    miniature: all of it on a few epochs and three seeds, to see that it runs: it proves nothing.
    cluster: where its trainings are carried out, as in `danlu.compare`; None: here.
    note: hears of each lot of trainings that begins.

    UserError for a claim, data or a net that there is not, or that do not go together; Interrupted after Ctrl-C.

    >>> import tempfile
    >>> result = check("linear-layers-collapse", folder=tempfile.mkdtemp())
    >>> result.verdict
    'exact'
    """
    options = options_of(data, target, net, seeds, margin, miniature)
    check_cluster(cluster, None)
    entry = entry_of(claim)
    about = {"type": entry.kind, "command": command_of(entry.id, options), "miniature": miniature}
    return carried_out(entry.claim(), options, about, folder, note, cluster)


def options_of(
    data: str | Path | None, target: str | None, net: str | None, seeds: int | None, margin: float | None,
    miniature: bool = False,
) -> ClaimOptions:  # fmt: skip
    """The options of a test, checked."""
    options = ClaimOptions(None if data is None else str(data), target, net, seeds, margin, miniature)
    options.check()
    return options


def plan_of(claim: str, options: ClaimOptions) -> ClaimPlan:
    """The plan that `check` would carry out; nothing is trained."""
    return entry_of(claim).claim().plan(options)


def carried_out(
    claim: Claim,
    options: ClaimOptions,
    about: dict[str, Any],
    folder: str | Path | None,
    note: Callable[[str], None],
    cluster: object = None,
) -> ClaimResult:
    """The claim tested in its folder, or the record of that where it was."""
    plan = claim.plan(options)
    place = Path(folder) if folder else claims_folder() / folder_name(plan, options)
    known = read_result(place)
    if known is not None and known.plan_hash == plan.hash:
        return known
    begin = time.monotonic()
    with connected(cluster, lambda fault: note(str(fault))) as reached:  # one for all its lots
        evidence = claim.test(options, Bench(place, note, reached))
    published = [{"source": one.source, "finds": one.finds} for one in claim.published]
    seconds = round(time.monotonic() - begin, 1)
    told = {
        **about,
        "published": published,
        "seconds": seconds,
        "date": _today(),
        "machine": hardware(torch.device("cpu")),
    }
    result = result_of(plan, evidence, {**told, "folder": str(shown(place))})
    write_result(result, place)
    return result


def result_of(plan: ClaimPlan, evidence: ClaimEvidence, about: Mapping[str, Any]) -> ClaimResult:
    """The verdict on the evidence, with the plan that it was gathered by and what is to be told `about` both."""
    return ClaimResult(
        {
            **about,
            "version": VERSION,
            "claim": plan.claim,
            "plan": plan.as_dict(),
            "verdict": judge(evidence).as_dict(),
            "comparisons": [one.as_dict() for one in evidence.comparisons],
            "checks": [one.as_dict() for one in evidence.checks],
            "controls": [one.as_dict() for one in evidence.controls],
            "figure": [asdict(plot) for plot in evidence.figure],
            "left_out": list(evidence.left_out),
        }
    )


def _today() -> str:
    return datetime.now().astimezone().date().isoformat()


def folder_name(plan: ClaimPlan, options: ClaimOptions) -> str:
    """Another plan, another folder."""
    return f"{plan.claim}-{plan.hash}{'-miniature' if options.miniature else ''}"


def command_of(claim: str, options: ClaimOptions) -> str:
    """What to type to have the same test once more.

    >>> command_of("momentum-helps", ClaimOptions(data="iris", seeds=5))
    'danlu claims momentum-helps --data iris --seeds 5'
    """
    words = {
        "data": options.data, "target": options.target, "net": options.net, "seeds": options.seeds,
        "margin": options.margin,
    }  # fmt: skip
    return " ".join(["danlu claims", claim, *(f"--{key} {value}" for key, value in words.items() if value is not None)])
