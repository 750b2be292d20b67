"""Scripts as users write them, run as they stand: a run asked after its table has changed, arrays given as they are."""

import os
import re
from pathlib import Path

import numpy
import polars
import pytest

import danlu
import preloaded


def output_of(script: Path, place: Path) -> str:
    """What a script prints, run in an empty folder of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "DANLU_LANG": "en"}
    (place / "grow").mkdir()
    ended = preloaded.run([str(script)], cwd=place, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended.stdout


def arrays_in(text: str) -> list[str]:
    return [re.sub(r"\s+", " ", found) for found in re.findall(r"\[[^\]]*\]", text)]


@pytest.mark.slow
def test_a_run_whose_table_has_changed_answers_as_before(cases_root: Path, data_root: Path, tmp_path: Path) -> None:
    said = output_of(cases_root / "use" / "data_changed_predict.py", tmp_path)
    assert "!!" not in said
    assert "Error" not in said
    titanic, cars = said.split("target flipped")
    first, *later = arrays_in(titanic)
    assert later == [first] * 4
    flipped, fresh, *after = arrays_in(cars)
    assert flipped == first
    assert after == [fresh] * 2


@pytest.mark.slow
def test_a_run_whose_classes_were_renamed_answers_as_before(cases_root: Path, tmp_path: Path) -> None:
    said = output_of(cases_root / "use" / "class_renamed_predict.py", tmp_path)
    trained, *later = arrays_in(said)
    assert later == [trained] * 2
    assert said.count("('maybe', 'no', 'yes')") == 3


@pytest.mark.slow
def test_windows_of_temperatures_train_as_arrays(cases_root: Path, data_root: Path, tmp_path: Path) -> None:
    said = output_of(cases_root / "use" / "tasks_multilabel_seg_seq2seq_windows.py", tmp_path)
    for task in ("windows numpy mlp", "read-only view", "float64", "targets [N,1]"):
        (answer,) = re.findall(rf"### {re.escape(task)}\n-> .*'r2': (-?[\d.e+]+)", said)
        assert float(answer) > 0.4
    # In the order of the days the usual rate diverges, with a loop written by hand too: the run is no less told.
    assert re.search(r"### windows shuffle False\n-> \{'loss'", said)


@pytest.mark.slow
def test_windows_in_the_order_of_their_days_are_told_to_be_unshuffled(data_root: Path, tmp_path: Path) -> None:
    days = polars.read_csv(data_root / "daily-min-temperatures.csv")["Temp"].to_numpy().astype("float32")
    windows = numpy.lib.stride_tricks.sliding_window_view(days, 15)
    data = (windows[:, :14].copy(), windows[:, 14].copy())
    run = danlu.fit("mlp", data, shuffle=False, epochs=2, progress=False, folder=tmp_path / "run")
    assert {finding.rule for finding in run.findings} >= {"unshuffled", "lr-too-high"}
