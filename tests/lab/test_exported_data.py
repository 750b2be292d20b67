"""On every data set of the catalogue a run, its ONNX file, its program and its folder give the same answers."""

from pathlib import Path

import pytest

import danlu

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

TRIED = [
    ("iris", "mlp"),
    ("wine", "mlp"),
    ("diabetes", "mlp"),
    ("breast-cancer", "logistic-regression"),
    ("titanic", "mlp"),
    ("titanic", "tabm"),
    ("diabetes", "tabm"),
    ("digits", "lenet5"),
    ("fashion-mnist", "lenet5"),
    ("names", "sequence-classifier"),
    ("time-machine", "language-model"),
    ("names", "transformer-classifier"),
    ("time-machine", "transformer-language-model"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("data", "net"), TRIED)
def test_all_forms_answer_alike_on_the_real_test_part(data: str, net: str, data_root: Path, tmp_path: Path) -> None:
    loaded = danlu.load(data, root=str(data_root))
    run = danlu.fit(net, loaded, epochs=1, folder=tmp_path / "run", progress=False, watch=False)
    for name in ("model.onnx", "model.pt2", "model"):
        proof = run.export(tmp_path / name)  # refused unless every answer of the test part is the run's
        assert proof.of == "test"
        assert proof.samples == (512 if data == "time-machine" else loaded.sizes["test"])
        assert proof.delta <= 1e-5
