"""A text for each text, from lists, tables and the catalogue to the answers, greedy and with a beam."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.nets.blocks.attention import earlier
from interruption import assert_same_end, interrupt_at

WORDS = ("tea", "cup", "sun", "red", "ink", "oak", "bay", "fig", "hen", "jam", "kit", "log", "map", "net")
PAIRS = [(f"{one} {two}", f"{two[::-1]} {one[::-1]}") for one in WORDS for two in WORDS]
LISTS = ([left for left, _ in PAIRS], [right for _, right in PAIRS])
SETTINGS: dict[str, Any] = {
    "task": "translation", "tokens": "characters", "batch_size": 16, "optimizer": "adam", "lr": 0.01, "progress": False,
}  # fmt: skip
SMALL: dict[str, dict[str, Any]] = {
    "encoder-decoder": {"embedding": 16, "hidden": 32},
    "transformer-encoder-decoder": {"embedding": 32, "heads": 2, "layers": 1, "dropout": 0.0},
}


def fitted(folder: Path, data: Any = LISTS, name: str = "encoder-decoder", **settings: Any) -> danlu.Run:
    wanted: dict[str, Any] = {**SETTINGS, "epochs": 30, **settings}
    return danlu.fit({"name": name, **SMALL[name]}, data, folder=folder, **wanted)


def csv(place: Path) -> Path:
    (place / "pairs.csv").write_text("\n".join(["here,there", *map(",".join, PAIRS)]), encoding="utf-8")
    return place / "pairs.csv"


@pytest.mark.every(2)
@pytest.mark.parametrize(("name", "lr"), [("encoder-decoder", 0.01), ("transformer-encoder-decoder", 0.003)])
def test_a_run_learns_to_write_and_answers_from_its_folder(tmp_path: Path, name: str, lr: float) -> None:
    run = fitted(tmp_path / "run", name=name, epochs=40, lr=lr)
    assert set(run.score["test"]) == {"loss", "accuracy", "bleu", "exact_match"}
    assert run.score["test"]["exact_match"] > 0.9
    assert run.score["test"]["bleu"] > 0.95
    again = danlu.Run(tmp_path / "run")
    assert again.predict(["tea cup", "ink sun"]).tolist() == ["puc aet", "nus kni"]
    assert again.predict("oak red", beam=4).tolist() == ["der kao"]
    assert again.evaluate((["tea cup", "red ink"], ["puc aet", "nothing"]))["exact_match"] == 0.5
    assert again.evaluate((["tea cup"] * 2, ["puc aet", ""])) == again.evaluate((["tea cup"], ["puc aet"]))
    given = danlu.Run(tmp_path / "run", data=LISTS)
    test = {metric: value for metric, value in run.score["test"].items() if metric != "loss"}
    assert given.evaluate(given.samples) == pytest.approx(test)
    golden = json.loads((tmp_path / "run" / "package.json").read_text(encoding="utf-8"))["answers"]["golden"]
    assert len(golden["samples"]) == 8


@pytest.mark.slow
def test_tables_and_files_are_learnt_and_answered(tmp_path: Path) -> None:
    run = fitted(tmp_path / "run", csv(tmp_path), target="there")
    (tmp_path / "new.txt").write_text("tea cup\nink sun\n", encoding="utf-8")
    (answered,) = run.predict_files(tmp_path / "new.txt")
    assert [row["answer"] for row in answered.records(run.preprocessing)] == ["puc aet", "nus kni"]
    (tmp_path / "more.csv").write_text("number,here,there\n1,tea cup,puc aet\n2,ink sun,\n", encoding="utf-8")
    (answered,) = run.predict_files(tmp_path / "more.csv", beam=2)
    assert [row["answer"] for row in answered.records(run.preprocessing)] == ["puc aet", "nus kni"]
    assert run.evaluate(tmp_path / "more.csv")["exact_match"] == 1.0
    assert run.predict([{"here": "tea cup"}]).tolist() == ["puc aet"]
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(danlu.UserError, match='no column "here"'):
        run.evaluate(tmp_path / "other.csv")


def test_resumed_it_ends_bit_identical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"epochs": 3, "accumulate": 2, "label_smoothing": 0.1}
    file = csv(tmp_path)
    whole = fitted(tmp_path / "whole", file, target="there", **settings)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 10)
        with pytest.raises(danlu.Interrupted, match="broken"):
            fitted(tmp_path / "broken", file, target="there", **settings)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", progress=False))


@pytest.mark.slow
def test_it_is_compared_with_the_nearest_text_and_checked(tmp_path: Path) -> None:
    settings = {key: value for key, value in SETTINGS.items() if key not in ("lr", "task", "tokens")}
    data = danlu.load(LISTS, task="translation", tokens="characters")
    net = {"name": "encoder-decoder", **SMALL["encoder-decoder"]}
    study = danlu.compare(
        net, data, vary={"lr": [0.003, 0.01]}, seeds=2, epochs=4, baselines=["majority", "nearest"],
        metric="bleu", folder=tmp_path / "study", **settings,
    )  # fmt: skip
    majority, nearest = study.baselines
    assert 0 <= majority["score"]["bleu"] < nearest["score"]["bleu"]
    assert len(study.members) == 4
    with pytest.raises(danlu.UserError, match="majority, nearest"):
        danlu.compare(net, data, vary={"lr": [0.01, 0.03]}, baselines=["forest"], folder=tmp_path / "no")
    checked = danlu.check(net, data, optimizer="adam", lr=0.01, batch_size=16)
    assert not [line for line in checked.lines if line.status in ("error", "warning")]


def test_a_net_of_ones_own_has_to_write(tmp_path: Path) -> None:
    data = danlu.load(LISTS, task="translation", tokens="characters")
    with pytest.raises(danlu.UserError, match="translate"):
        danlu.fit(Own(data.outputs), data, epochs=1, folder=tmp_path / "no", progress=False)
    run = danlu.fit(Writing(data.outputs), data, epochs=2, folder=tmp_path / "run", progress=False)
    assert len(danlu.Run(run.folder, net=Writing(data.outputs)).predict(["tea cup"])) == 1


@pytest.mark.every(3)
@pytest.mark.parametrize("beam", [0, -1, True, 1.5, "4", 10**6])
def test_a_beam_that_is_none_is_refused(tmp_path: Path, beam: Any) -> None:
    run = fitted(tmp_path / "run", epochs=1)
    with pytest.raises(danlu.UserError, match="beam"):
        run.predict("tea cup", beam=beam)


def test_a_beam_is_for_texts_that_are_written(tmp_path: Path) -> None:
    run = danlu.fit("mlp", "iris", epochs=1, folder=tmp_path / "run", progress=False)
    with pytest.raises(danlu.UserError, match="another task: classification"):
        run.predict(run.samples, beam=2)


class Own(nn.Module):
    """Says of each place what comes next by the token before it alone."""

    sample_dtype = torch.int64

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(outputs, 8)
        self.output = nn.Linear(8, outputs)

    def forward(self, pairs: Tensor) -> Tensor:
        given = self.embed(pairs[:, 1])
        return self.output(earlier(given, 1).to(given.dtype) @ given)


class Writing(Own):
    def translate(self, sources: Tensor, *, beam: int = 1) -> Tensor:
        return torch.full((len(sources), 2), 3)
