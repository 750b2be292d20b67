"""A tag for each token, from lists, a file or a table to the answers."""

import random
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import danlu
from danlu.base.ignored import IGNORED
from interruption import assert_same_end, interrupt_at

SETTINGS: dict[str, Any] = {"batch_size": 8, "optimizer": "adam", "lr": 0.01, "progress": False}
NET = {"name": "sequence-tagger", "embedding": 8, "hidden": 8}


def sentences(count: int = 80) -> tuple[list[list[str]], list[list[str]]]:
    """Words of which one and the same is a noun behind "the" and a verb behind "to"."""
    draw = random.Random(4)
    tokens: list[list[str]] = []
    tags: list[list[str]] = []
    for _ in range(count):
        pairs = [
            pair
            for _ in range(draw.randint(1, 3))
            for pair in draw.choice(([("the", "ART"), ("run", "NOUN")], [("to", "PART"), ("run", "VERB")]))
        ]
        tokens.append([word for word, _ in pairs])
        tags.append([tag for _, tag in pairs])
    return tokens, tags


def conll(path: Path, pairs: tuple[list[list[str]], list[list[str]]]) -> Path:
    blocks = ["\n".join(f"{word}\t{tag}" for word, tag in zip(*one, strict=True)) for one in zip(*pairs, strict=True)]
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return path


def fitted(folder: Path, data: Any = None, net: Any = NET, **settings: Any) -> danlu.Run:
    data = sentences() if data is None else data
    return danlu.fit(net, data, folder=folder, **{"epochs": 6, **SETTINGS, **settings})


@pytest.mark.slow
@pytest.mark.parametrize("net", ["sequence-tagger", "transformer-tagger"])
def test_a_run_learns_tags_from_their_neighbours_and_answers_from_its_folder(tmp_path: Path, net: str) -> None:
    options = {"heads": 2, "embedding": 8} if net == "transformer-tagger" else {"embedding": 8, "hidden": 8}
    run = fitted(tmp_path / "run", net={"name": net, **options}, epochs=12)
    assert run.preprocessing.classes == ("ART", "NOUN", "PART", "VERB")
    assert run.score["test"]["accuracy"] > 0.95 and run.score["test"]["f1.VERB"] > 0.9
    again = danlu.Run(tmp_path / "run")
    assert again.predict([["the", "run", "to", "run"], ["to"]]) == [["ART", "NOUN", "PART", "VERB"], ["PART"]]
    assert again.predict("to run") == [["PART", "VERB"]]
    likely = again.predict_proba([["the", "run"], ["to"] * 9])
    assert likely.shape == (2, 9, 4) and likely.sum(2) == pytest.approx(numpy.ones((2, 9)))
    tokens, tags = sentences()
    given = danlu.Run(tmp_path / "run", data=(tokens, tags))
    evaluated = given.evaluate(given.samples)
    assert evaluated["accuracy"] == pytest.approx(run.score["test"]["accuracy"])
    longer = ([[*tokens[0], *tokens[1], *tokens[2], *tokens[3]]], [[*tags[0], *tags[1], *tags[2], *tags[3]]])
    assert again.evaluate(longer)["accuracy"] > 0.7
    assert again.evaluate((["to run"], ["PART VERB"])) == again.evaluate(([["to", "run"]], [["PART", "VERB"]]))
    with pytest.raises(danlu.UserError, match="2 tokens and 1 tags"):
        again.evaluate((["to run"], ["PART"]))
    again.export(tmp_path / "net.onnx")
    assert (tmp_path / "net.onnx").is_file()


def test_what_stands_behind_a_text_counts_nowhere(tmp_path: Path) -> None:
    run = fitted(tmp_path / "run", epochs=1)
    data = run.samples
    batches = list(data.batches("test", 4, device=torch.device("cpu")))
    for x, y in batches:
        assert ((x == 0) == (y == IGNORED)).all()
    alone = [
        run.evaluate(([tokens], [tags]))["accuracy"] * len(tags) for tokens, tags in zip(*sentences(), strict=True)
    ]
    count = sum(map(len, sentences()[1]))
    assert run.evaluate(sentences())["accuracy"] == pytest.approx(sum(alone) / count)


def test_files_and_tables_are_learnt_and_answered(tmp_path: Path) -> None:
    pairs = sentences()
    file = conll(tmp_path / "words.conll", pairs)
    run = fitted(tmp_path / "run", file)
    assert run.preprocessing.task == "tagging"
    plain = conll(tmp_path / "words.txt", pairs)
    assert danlu.load(plain, task="tagging").sizes == danlu.load(file).sizes
    assert danlu.load(plain).task == "language"
    rows = ["tokens,tags", *(f"{' '.join(words)},{' '.join(tags)}" for words, tags in zip(*pairs, strict=True))]
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    table = danlu.load(tmp_path / "t.csv", "tags", task="tagging")
    assert table.classes == run.preprocessing.classes and table.sizes == run.samples.sizes
    parts = danlu.load({"train": file, "test": file})
    assert parts.sizes["test"] == 80
    assert run.evaluate(file)["accuracy"] == run.evaluate(pairs)["accuracy"]
    (tmp_path / "new.txt").write_text("the run\nto run the run\n", encoding="utf-8")
    (answered,) = run.predict_files(tmp_path / "new.txt")
    assert [row["answer"] for row in answered.records(run.preprocessing)] == ["ART NOUN", "PART VERB ART NOUN"]


def test_resumed_it_ends_bit_identical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"epochs": 3, "class_weights": "balanced", "accumulate": 2}
    file = conll(tmp_path / "words.conll", sentences())
    whole = fitted(tmp_path / "whole", file, **settings)
    with monkeypatch.context() as patch:
        interrupt_at(patch, 7)
        with pytest.raises(danlu.Interrupted, match="broken"):
            fitted(tmp_path / "broken", file, **settings)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", progress=False))


@pytest.mark.slow
def test_it_is_compared_with_the_most_frequent_tag_and_checked(tmp_path: Path) -> None:
    settings = {key: value for key, value in SETTINGS.items() if key != "lr"}
    study = danlu.compare(
        NET, sentences(), vary={"lr": [0.01, 0.03]}, seeds=2, epochs=4, baselines=["majority"], metric="f1",
        folder=tmp_path / "study", **settings,
    )  # fmt: skip
    (always,) = study.baselines
    assert max(member.score["f1"] for member in study.members) > always["score"]["f1"] > 0
    with pytest.raises(danlu.UserError, match="majority"):
        danlu.compare(NET, sentences(), vary={"lr": [0.01, 0.03]}, baselines=["forest"], folder=tmp_path / "no")
    checked = danlu.check(NET, sentences(), optimizer="adam", lr=0.01, batch_size=8)
    assert not [line for line in checked.lines if line.status in ("error", "warning")]
    run = fitted(tmp_path / "run")
    assert [finding.rule for finding in run.findings if finding.severity != "advice"] == []
