"""Several files that are one table, and folders with train.csv and test.csv."""

import os
from pathlib import Path
from typing import Any

import polars
import pytest
import torch

from danlu import Run, fit
from danlu.base.errors import UserError
from danlu.data import load

FRAME = polars.DataFrame(
    {
        "size": [n * n % 17 + 0.5 for n in range(90)],
        "kind": ["abc"[n % 3] for n in range(90)],
        "price": [n * 1.5 for n in range(90)],
    }
)


def write(frame: polars.DataFrame, path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_csv(path)
    return path


def parts(folder: Path, ending: str) -> Path:
    for n in range(3):
        write(FRAME[n * 30 : n * 30 + 30], folder / f"part-{n}{ending}")
    return folder


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
@pytest.mark.parametrize("given", ["pattern", "folder"])
def test_files_of_one_kind_are_one_table(tmp_path: Path, ending: str, given: str) -> None:
    folder = parts(tmp_path / "parts", ending)
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.crc").touch()
    data = load(folder if given == "folder" else f"{folder}/*{ending}", target="price")
    whole = load(write(FRAME, tmp_path / f"whole{ending}"), target="price")
    assert data.fingerprint() == whole.fingerprint()
    assert data.notes[0].id == "tables.files"
    assert data.recipe is not None
    again = load(data.recipe.path, target="price")
    assert again.fingerprint() == data.fingerprint()


def test_a_pattern_may_go_into_folders(tmp_path: Path) -> None:
    for n in range(3):
        write(FRAME[n * 30 : n * 30 + 30], tmp_path / f"day={n}" / "a.csv")
    assert sum(load(f"{tmp_path}/**/*.csv", target="price").sizes.values()) == 90


def test_a_file_with_signs_of_a_pattern_in_its_name_is_itself(tmp_path: Path) -> None:
    path = write(FRAME, tmp_path / "a[1].csv")
    assert sum(load(path, target="price").sizes.values()) == 90


def test_an_odd_cell_is_named_with_its_file_and_line(tmp_path: Path) -> None:
    folder = parts(tmp_path / "parts", ".csv")
    path = folder / "part-1.csv"
    path.write_text(path.read_text().replace("\n0.5,", "\nwhat,", 1))
    data = load(f"{folder}/*.csv", target="price")
    told = next(note for note in data.notes if note.id == "data.odd-cells")
    assert "of " + str(path) in str(told)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if text.startswith("what"))
    assert f"line {line} of " in str(told)


def refused(folder: Path, how: str) -> str:
    parts(folder, ".csv")
    if how == "column missing":
        write(FRAME.drop("kind"), folder / "part-2.csv")
    elif how == "column more":
        write(FRAME.with_columns(more=polars.lit(1)), folder / "part-2.csv")
    elif how == "mixed":
        write(FRAME, folder / "part-3.parquet")
    elif how == "pipe":
        os.mkfifo(folder / "part-3.csv")
    elif how == "empty":
        (folder / "part-3.csv").touch()
    elif how == "types":
        for path in folder.iterdir():
            path.unlink()
        write(FRAME, folder / "a.parquet")
        write(FRAME.with_columns(size=polars.Series([[1]] * 90)), folder / "b.parquet")
    return f"{folder}/*"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("column missing", r"part-2\.csv: these columns of .*part-0\.csv are missing: kind"),
        ("column more", r"part-0\.csv: these columns of .*part-2\.csv are missing: more"),
        ("mixed", r"files of different kinds \(\.csv, \.parquet\)"),
        ("pipe", r"part-3\.csv.*pipe"),
        ("empty", r"part-3\.csv: the file is empty"),
        ("types", r'b\.parquet: the column "size" is of another type than in .*a\.parquet'),
    ],
)
def test_what_does_not_fit_together_is_refused(tmp_path: Path, how: str, message: str) -> None:
    pattern = refused(tmp_path / "parts", how)
    with pytest.raises(UserError, match=message):
        load(pattern, target="price")


@pytest.mark.parametrize("pattern", ["none*.csv", "**x/*.csv", "[.csv", "parts/*"])
def test_a_pattern_that_nothing_matches_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(UserError, match="no file matches this pattern"):
        load(f"{tmp_path}/{pattern}", target="price")


def competition(folder: Path, test: polars.DataFrame, **more: Any) -> Path:
    write(FRAME[:60], folder / "train.csv")
    write(test, folder / "test.csv")
    for name, frame in more.items():
        write(frame, folder / f"{name}.csv")
    return folder


def test_a_folder_with_train_and_test_keeps_its_parts(tmp_path: Path) -> None:
    data = load(competition(tmp_path / "c", FRAME[60:80], val=FRAME[80:]), target="price")
    assert data.sizes == {"train": 60, "validation": 10, "test": 20}
    alone = load(write(FRAME[:60], tmp_path / "alone.csv"), target="price", validation=0, test=0)
    assert data.encoder == alone.encoder
    y = [y for _, y in data.batches("test", 20, device=torch.device("cpu"), dtype=torch.float64)]
    assert data.decode(torch.cat(y)).tolist() == pytest.approx(FRAME["price"][60:80].to_list())


def test_a_test_file_without_answers_is_no_part_and_is_answered_later(tmp_path: Path) -> None:
    folder = competition(tmp_path / "c", FRAME[60:].drop("price"), sample_submission=FRAME[60:].select("price"))
    run = fit("mlp", folder, target="price", epochs=2, folder=tmp_path / "run", progress=False)
    data = load(folder, target="price")
    assert data.sizes == {"train": 42, "validation": 6, "test": 12}
    ids = [note.id for note in data.notes]
    assert {"tables.test-without-target", "tables.files-beside"} <= {*ids}
    assert len(Run(run.folder).predict(folder / "test.csv")) == 30


def test_columns_that_only_the_test_file_has_are_told(tmp_path: Path) -> None:
    folder = competition(tmp_path / "c", FRAME[60:].with_columns(more=polars.lit(1)))
    told = next(note for note in load(folder, target="price").notes if note.id == "tables.columns-beside")
    assert "more" in str(told)


def test_a_test_file_without_a_feature_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'test\.csv: there is no column "kind"'):
        load(competition(tmp_path / "c", FRAME[60:].drop("kind")), target="price")


def test_two_files_for_one_part_are_refused(tmp_path: Path) -> None:
    folder = competition(tmp_path / "c", FRAME[60:], valid=FRAME[:9], dev=FRAME[:9])
    with pytest.raises(UserError, match="both mean the validation part"):
        load(folder, target="price")


def test_real_parts_are_the_table_they_were_cut_from(tmp_path: Path, data_root: Path) -> None:
    frame = polars.read_csv(data_root / "titanic.csv")
    for n in range(3):
        write(frame[n * 297 : n * 297 + 297], tmp_path / "parts" / f"{n}.parquet")
    whole = load(write(frame, tmp_path / "whole.parquet"), target="Survived")
    assert load(tmp_path / "parts", target="Survived").fingerprint() == whole.fingerprint()
