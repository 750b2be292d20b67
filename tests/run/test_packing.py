"""A run answers from a read-only copy of its folder in a fresh process; runs of danlu 0.1 are completed once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import danlu
from danlu.base.errors import UserError
from danlu.store.package_file import read_package_file
from every_kind import TABLE, table, trained

ASK = """
import sys, danlu, polars
run = danlu.Run(sys.argv[1])
rows = polars.read_parquet(sys.argv[2])
print(run.predict(rows).tolist(), run.predict_proba(rows).tolist(), run.evaluate(rows))
"""


def test_a_read_only_copy_in_a_fresh_process(tmp_path: Path) -> None:
    run, _ = trained(table, tmp_path)
    rows = TABLE.drop("price").head(9)
    wanted = f"{run.predict(rows).tolist()} {run.predict_proba(rows).tolist()} {run.evaluate(rows)}"
    copy = Path(shutil.copytree(run.folder, tmp_path / "elsewhere" / "copy"))
    shutil.rmtree(run.folder)
    (tmp_path / "t.csv").unlink()
    rows.write_parquet(tmp_path / "rows.parquet")
    held = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    nowhere = {key: str(tmp_path / "nowhere") for key in ("HOME", "XDG_CACHE_HOME", "DANLU_DATA")}
    try:
        told = subprocess.run(
            [sys.executable, "-c", ASK, copy, tmp_path / "rows.parquet"],
            capture_output=True, text=True, check=False, cwd=tmp_path / "elsewhere", env={**os.environ, **nowhere},
        )  # fmt: skip
    finally:
        for path in [copy, *copy.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
    assert told.stdout.strip() == wanted, told.stderr
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == held


def test_a_run_of_danlu_0_1_is_completed_once(tmp_path: Path) -> None:
    run, raw = trained(table, tmp_path)
    first, whole = run.predict(raw).tolist(), read_package_file(run.folder / "package.json")
    (run.folder / "package.json").unlink()
    assert danlu.package(run.folder).predict(raw).tolist() == first
    again = read_package_file(run.folder / "package.json")
    assert again is not None and whole is not None and again.encoded() == whole.encoded()
    (tmp_path / "t.csv").unlink()
    assert danlu.package(run.folder).predict(raw).tolist() == first


def test_without_its_data_that_is_told(tmp_path: Path) -> None:
    run, raw = trained(table, tmp_path)
    (run.folder / "package.json").unlink()
    (tmp_path / "t.csv").unlink()
    with pytest.raises(UserError, match="danlu package .*--data"):
        danlu.Run(run.folder).predict(raw)
    with pytest.raises(UserError, match="data are needed once"):
        danlu.package(run.folder)
    assert not (run.folder / "package.json").exists()


def test_an_unfinished_run_is_gone_on_with_first(tmp_path: Path) -> None:
    run, _ = trained(table, tmp_path)
    journal = run.folder / "journal.jsonl"
    journal.write_text("\n".join(line for line in journal.read_text().splitlines() if '"end"' not in line) + "\n")
    with pytest.raises(UserError, match="danlu resume"):
        danlu.package(run.folder)
