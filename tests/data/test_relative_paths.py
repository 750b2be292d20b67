"""A path that begins where the program runs names the same data as a whole one."""

from collections.abc import Callable
from pathlib import Path

import polars
import pytest

import danlu
from shards import CLASSES, picture, write_shards

ROWS = polars.DataFrame({"a": [row * 1.5 for row in range(40)], "y": ["ab"[row % 2] for row in range(40)]})


def tables(folder: Path) -> None:
    ROWS.write_csv(folder / "one.csv")
    ROWS.write_parquet(folder / "one.parquet")
    ROWS.write_ndjson(folder / "one.jsonl")
    (folder / "several").mkdir()
    ROWS[:20].write_csv(folder / "several" / "part-0.csv")
    ROWS[20:].write_csv(folder / "several" / "part-1.csv")


def pictures(folder: Path) -> None:
    for number in range(30):
        place = folder / "pictures" / CLASSES[number % 3]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes(picture(number))


SOURCES: dict[str, tuple[Callable[[Path], None], dict[str, str]]] = {
    "one.csv": (tables, {"target": "y"}),
    "one.parquet": (tables, {"target": "y"}),
    "one.jsonl": (tables, {"target": "y"}),
    "several": (tables, {"target": "y"}),
    "several/part-*.csv": (tables, {"target": "y"}),
    "pictures": (pictures, {}),
    "shards": (lambda folder: write_shards(folder / "shards", 2), {}),
    "shards/shard-*.tar": (lambda folder: write_shards(folder / "shards", 2), {}),
    "shards/shard-000000.tar": (lambda folder: write_shards(folder / "shards", 2), {}),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("source", SOURCES)
def test_it_names_the_same_data(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, options = SOURCES[source]
    write(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    relative, whole = danlu.load(source, **options), danlu.load(tmp_path / source, **options)
    assert relative.fingerprint() == whole.fingerprint()
    assert relative.sizes == whole.sizes
