"""The records of claims: damaged ones are told, and hide no other."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from danlu.base.errors import UserError
from danlu.base.strict_json import checksum
from danlu.claims.result import ClaimResult, read_result, results_in, write_result


def record(claim: str, date: str = "2026-01-01") -> dict[str, Any]:
    return {"claim": claim, "date": date, "plan": {"hash": "ab"}, "verdict": {"word": "holds"}, "comparisons": []}


DAMAGED = {
    "cut": json.dumps(record("a"))[:20],
    "empty": "",
    "a list": "[1, 2]",
    "of something else": '{"claim": "a"}',
    "without a checksum": json.dumps(record("a")),
    "another verdict": json.dumps({**record("a"), "verdict": {"word": "exact"}, "checksum": checksum(record("a"))}),
    "of another shape": json.dumps({**record("a"), "comparisons": 5, "checksum": checksum(record("a"))}),
    "a part gone": json.dumps({"claim": "a", "checksum": checksum(record("a"))}),
    "zeros": "\x00" * 40,
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=[*DAMAGED])
def test_a_damaged_record_hides_no_other(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_result(ClaimResult(record("first")), tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "claim.json").write_text(text)
    write_result(ClaimResult(record("last")), tmp_path / "c")
    assert [one.claim for one in results_in(tmp_path)] == ["first", "last"]
    told = capsys.readouterr().err
    assert str(tmp_path / "b") in told
    assert told.count("\n") == 1
    with pytest.raises(UserError, match="damaged"):
        read_result(tmp_path / "b")


def test_the_newest_of_each_counts(tmp_path: Path) -> None:
    for folder, date in (("a", "2026-01-02"), ("b", "2026-01-03"), ("c", "2026-01-01")):
        write_result(ClaimResult({**record("one", date), "folder": folder}), tmp_path / folder)
    (found,) = results_in(tmp_path)
    assert found.record["folder"] == "b"
    write_result(ClaimResult({**record("one", "2026-01-03"), "folder": "0"}), tmp_path / "0")
    os.utime(tmp_path / "0" / "claim.json", (2e9, 2e9))
    (found,) = results_in(tmp_path)
    assert found.record["folder"] == "0", "of one day the one written last"
    assert results_in(tmp_path / "nowhere") == []
