"""What the test of a claim came to, as it is kept in its folder, shown in the terminal and printed in the book."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import UserError, fail
from danlu.base.files import make_folder, replace_file
from danlu.base.input_files import path_kind
from danlu.base.strict_json import checksum, to_json
from danlu.base.telling import tell
from danlu.view.claims import claim_text

_FILE = "claim.json"


@dataclass(frozen=True)
class ClaimResult:
    """`record` is what --json prints: "claim", "type", "plan" with its "hash", "verdict", "comparisons", "checks",
    "controls", "figure" (plain numbers), "published", "seconds", "date", "machine", "command", and for a claim of a
    user's own its "sentence"."""

    record: Mapping[str, Any]

    @property
    def claim(self) -> str:
        return self.record["claim"]

    @property
    def verdict(self) -> str:
        """The word alone."""
        return self.record["verdict"]["word"]

    @property
    def plan_hash(self) -> str:
        return self.record["plan"]["hash"]

    def as_dict(self) -> dict[str, Any]:
        return dict(self.record)

    def __str__(self) -> str:
        return claim_text(self.record)

    def __repr__(self) -> str:
        return f"ClaimResult({self.claim!r}, {self.verdict!r})"


def write_result(result: ClaimResult, folder: Path) -> None:
    """Keep it in its folder."""
    make_folder(folder)
    replace_file(folder / _FILE, to_json({**result.record, "checksum": checksum(result.record)}).encode())


def read_result(folder: Path) -> ClaimResult | None:
    """What stands in `folder`; None where nothing does. UserError where it is not what `write_result` wrote."""
    path = folder / _FILE
    if path_kind(path) != "file":
        return None
    try:
        record = cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))
        if record.pop("checksum") == checksum(record):
            return ClaimResult(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return fail("claims.damaged-record", path=path)


def results_in(folder: Path) -> Sequence[ClaimResult]:
    """All that were tested here, the newest of each claim; records that are damaged are told, and left out."""
    if not folder.is_dir():
        return []
    found: list[tuple[float, ClaimResult]] = []
    for place in folder.iterdir():
        try:
            one = read_result(place)
        except UserError as error:  # one damaged record hides no other
            tell(str(error))
        else:
            found += [((place / _FILE).stat().st_mtime, one)] if one else []
    newest: dict[str, ClaimResult] = {}
    for _, one in sorted(found, key=lambda dated: (str(dated[1].record.get("date", "")), dated[0], dated[1].claim)):
        newest.pop(one.claim, None)
        newest[one.claim] = one
    return list(newest.values())
