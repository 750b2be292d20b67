"""A run answers from its own folder: whatever becomes of its data, the answers stay the same, bit for bit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import torch

import danlu
from danlu.base.errors import DataWarning, UserError
from every_kind import CASES, TABLE, Case, digits, table, trained


def same(one: Any, other: Any) -> bool:
    return bool(numpy.array_equal(numpy.asarray(one), numpy.asarray(other)))


@pytest.mark.every(5)
@pytest.mark.parametrize("case", CASES)
def test_the_answers_need_nothing_but_the_folder(case: Case, tmp_path: Path) -> None:
    run, raw = trained(case, tmp_path)
    first, classes, sizes = run.predict(raw), run.data.classes, run.data.sizes
    weights = list(run.net().parameters())
    for name in ("t.csv", "book.txt"):
        (tmp_path / name).unlink(missing_ok=True)
    shutil.rmtree(tmp_path / "pictures", ignore_errors=True)
    moved = shutil.move(run.folder, tmp_path / "elsewhere")
    for again in (danlu.Run(moved), danlu.resume(moved)):
        assert same(again.predict(raw), first)
        assert (again.data.classes, again.data.sizes) == (classes, sizes)
        assert again.score == run.score
        for one, other in zip(again.net().parameters(), weights, strict=True):
            assert torch.equal(one, other)


CHANGES: list[tuple[Callable[[polars.DataFrame], polars.DataFrame], str, str]] = [
    (lambda frame: polars.concat([frame, frame.head(9)]), "9 rows more", "多了 9 行"),
    (lambda frame: frame.head(100), "20 rows fewer", "少了 20 行"),
    (lambda frame: frame.with_columns(polars.col("b") * 10), "other values in the columns b", "数值有变化：b"),
    (
        lambda frame: frame.with_columns(polars.col("kind").replace("yes", "sure")),
        "new classes: sure",
        "新增的类别：sure",
    ),
    (
        lambda frame: frame.with_columns(polars.col("kind").replace({"yes": "no", "no": "yes"})),
        "other values in the columns kind",
        "数值有变化：kind",
    ),
    (lambda frame: frame.drop("a"), "columns that are gone: a", "缺少的列：a"),
    (lambda frame: frame.with_columns(c=polars.col("a") * 2), "new columns: c", "新增的列：c"),
    (lambda frame: frame.rename({"a": "alpha"}), "columns that are gone: a", "缺少的列：a"),
]


@pytest.mark.every(6)
@pytest.mark.parametrize(("change", "english", "chinese"), CHANGES)
def test_a_table_that_has_changed(
    change: Callable[[polars.DataFrame], polars.DataFrame], english: str, chinese: str, tmp_path: Path, language: str
) -> None:
    run, raw = trained(table, tmp_path)
    first, frame = run.predict(raw), polars.read_csv(tmp_path / "t.csv")
    change(frame).write_csv(tmp_path / "t.csv")
    again = danlu.resume(run.folder)
    assert same(again.predict(raw), first)
    assert again.data.classes == run.data.classes
    words = {"en": english, "zh": chinese}[language]
    with pytest.raises(UserError, match=words):
        next(again.data.batches("test", 4, device=torch.device("cpu")))
    with pytest.raises(UserError, match=words):
        danlu.landscape(again)
    # Unfinished, it cannot go on either.
    journal = run.folder / "journal.jsonl"
    kept = [line for line in journal.read_text().splitlines() if '"kind":"end"' not in line.replace(" ", "")]
    journal.write_text("\n".join(kept) + "\n")
    with pytest.raises(UserError, match=words):
        danlu.resume(run.folder, progress=False)
    frame.write_csv(tmp_path / "t.csv")
    assert same(danlu.resume(run.folder, progress=False).predict(raw), first)


@pytest.mark.every(2)
@pytest.mark.parametrize("case", [table, digits])
def test_a_folder_of_danlu_0_1_answers_while_its_data_are_the_same(case: Case, tmp_path: Path) -> None:
    run, raw = trained(case, tmp_path)
    first = run.predict(raw)
    (run.folder / "package.json").unlink()
    assert same(danlu.Run(run.folder).predict(raw), first)
    if case is table:
        polars.concat([TABLE.drop("price"), TABLE.drop("price").head(9)]).write_csv(tmp_path / "t.csv")
        with pytest.raises(UserError, match="9 rows more"):
            danlu.Run(run.folder).predict(raw)


def test_arrays_of_danlu_0_1_were_not_standardised_and_are_not_now(tmp_path: Path) -> None:
    x = TABLE.select("a", "b").to_numpy()
    source = (x, TABLE["kind"].to_list())
    run = danlu.fit("mlp", source, standardise=False, epochs=1, folder=tmp_path / "run", progress=False)
    (run.folder / "package.json").unlink()
    recipe = run.folder / "recipe.toml"
    recipe.write_text("\n".join(line for line in recipe.read_text().splitlines() if "standardise" not in line))
    assert same(danlu.Run(run.folder, data=source).predict(x[:5]), run.predict(x[:5]))


def test_the_package_is_strict_json_there_from_the_first_moment(tmp_path: Path) -> None:
    run, _ = trained(table, tmp_path)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    package = json.loads((run.folder / "package.json").read_text(), parse_constant=refuse)
    assert (package["schema"], package["preprocessing"]["task"]) == (2, "classification")


@pytest.mark.every(4)
@pytest.mark.parametrize("damage", ["", "{", "[]", "null", '{"schema": 1}', "flip"])
def test_a_damaged_package_is_told(damage: str, tmp_path: Path, language: str) -> None:
    run, raw = trained(table, tmp_path)
    package = run.folder / "package.json"
    package.write_text(package.read_text().replace('"mean": ', '"mean": 1', 1) if damage == "flip" else damage)
    with pytest.raises(UserError, match={"en": "the file is damaged", "zh": "文件已损坏"}[language]):
        danlu.Run(run.folder).predict(raw)


def test_a_package_of_a_later_danlu_is_told(tmp_path: Path) -> None:
    run, raw = trained(digits, tmp_path)
    package = run.folder / "package.json"
    package.write_text(json.dumps({**json.loads(package.read_text()), "schema": 99}))
    with pytest.raises(UserError, match="later version"):
        danlu.Run(run.folder).predict(raw)


def test_the_best_of_a_study_answers_alone(tmp_path: Path) -> None:
    TABLE.drop("price").write_csv(tmp_path / "t.csv")
    study = danlu.compare(
        "mlp", tmp_path / "t.csv", target="kind", vary={"lr": [0.01, 0.1]}, seeds=1, epochs=1,
        folder=tmp_path / "study", progress=False,
    )  # fmt: skip
    assert study.best is not None
    first = danlu.Run(study.best.run).predict(TABLE.head(7))
    (tmp_path / "t.csv").unlink()
    best = danlu.Study(study.folder).best
    assert best is not None
    assert same(danlu.Run(best.run).predict(TABLE.head(7)), first)


def test_features_far_outside_are_answered_with_a_warning(tmp_path: Path) -> None:
    run, raw = trained(table, tmp_path)
    with pytest.warns(DataWarning, match=r"features: b"):
        run.predict(raw.with_columns(polars.col("b") * 1e5))


def test_a_digits_run_does_not_answer_pixels_of_another_scale(tmp_path: Path) -> None:
    run, raw = trained(digits, tmp_path)
    run.predict(raw)
    with pytest.raises(UserError, match="on another scale"):
        run.predict(raw / 16)


@pytest.mark.parametrize("part", ["weights.safetensors", "manifest.json"])
def test_a_finished_run_never_answers_from_other_weights_than_those_scored(part: str, tmp_path: Path) -> None:
    run = danlu.fit("mlp", "iris", epochs=2, folder=tmp_path / "run", progress=False, checkpoint_steps=5)
    newest = sorted((run.folder / "checkpoints").iterdir())[-1] / part
    content = bytearray(newest.read_bytes())
    content[-9] ^= 1
    newest.write_bytes(content)
    with pytest.raises(UserError, match=f"{part}.*Restore the file"):
        danlu.Run(run.folder).net()
    lines = [line for line in (run.folder / "journal.jsonl").read_text().splitlines() if '"end"' not in line]
    (run.folder / "journal.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.warns(DataWarning, match=part):
        danlu.Run(run.folder).net()


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "damage",
    ["{}", "[]", "[" * 100_000, '{"hardware": {}, "weights_given": false, "data": {"sizes": {}}}',
     '{"hardware": [], "weights_given": false, "data": {"fingerprint": "x", "sizes": {}}}',
     '{"hardware": {}, "weights_given": false, "data": {"fingerprint": "x", "sizes": []}}'],
)  # fmt: skip
def test_surroundings_of_another_shape_are_taken_for_damaged(damage: str, tmp_path: Path) -> None:
    run = danlu.fit("softmax-regression", "iris", epochs=1, folder=tmp_path / "run", progress=False)
    (run.folder / "environment.json").write_text(damage)
    again = danlu.Run(run.folder)
    assert again.samples.sizes == run.samples.sizes
    assert again.as_dict()["score"] == run.score
