"""On every data set of the catalogue a run, its ONNX file, its program and its folder give the same answers."""

from pathlib import Path

import pytest

import danlu
from danlu.data.catalogue import names
from export_sets import FORMS, REFUSED, SETS, Trained

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


def test_no_data_set_is_left_out() -> None:
    assert {one.data for one in (*SETS, *REFUSED)} == set(names())


@pytest.mark.slow
@pytest.mark.parametrize("one", SETS, ids=lambda one: f"{one.data}-{one.net}")
def test_all_forms_answer_alike_on_the_real_test_part(one: Trained, data_root: Path, tmp_path: Path) -> None:
    data = one.read(data_root)
    run = one.run(data, tmp_path)
    for name in FORMS:
        proof = run.export(tmp_path / name)  # refused unless every answer of the test part is the run's
        assert proof.of == "test"
        assert proof.samples == (512 if "language" in one.net else data.sizes["test"])
        assert proof.delta <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("one", REFUSED, ids=lambda one: one.data)
def test_what_has_no_form_is_refused(one: Trained, data_root: Path, tmp_path: Path) -> None:
    run = one.run(one.read(data_root), tmp_path)
    for name in FORMS:
        with pytest.raises(danlu.UserError, match=r"translat|text"):
            run.export(tmp_path / name)
