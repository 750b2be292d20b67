"""A language model writes now and then while it is trained: no bit of the training changes, nor does a resume."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.base.events import Event, Stop
from danlu.run.interrupt import Interrupted
from danlu.run.listeners import text_samples
from danlu.run.listeners.text_samples import TextSampler, spread_epochs
from danlu.store.records import TextGenerated
from danlu.store.run_history import RunHistory
from interruption import assert_same_end, interrupt_at

SMALL: dict[str, Any] = {"epochs": 3, "batch_size": 8, "hidden": 16, "embedding": 8, "dropout": 0.3, "progress": False}
SENTENCE = "the time traveller for so it will be convenient to speak of him was expounding to us\n"


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, no sample is left out for the time it takes."""
    monkeypatch.setattr(text_samples, "_MAX_SECONDS", 1e9)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.txt"
    path.write_text(SENTENCE * 40, encoding="utf-8")
    return path


def trained(book: Path, folder: Path, **more: Any) -> danlu.Run:
    return danlu.fit("language-model", book, folder=folder, **{**SMALL, **more})


def test_each_sampled_epoch_continues_one_prompt(book: Path, tmp_path: Path) -> None:
    run = trained(book, tmp_path / "run")
    assert [one.epoch for one in run.texts] == [1, 2, 3]
    (prompt,) = {one.prompt for one in run.texts}
    assert prompt
    assert prompt in SENTENCE * 2
    assert all(len(one.text) == text_samples.TOKENS for one in run.texts)
    epochs = RunHistory.read(run.folder / "journal.jsonl").epochs
    assert [one.step for one in run.texts] == [epoch.step for epoch in epochs]
    assert run.texts[-1].text == run.generate(prompt, tokens=100, temperature=0.8).removeprefix(prompt)
    assert run.as_dict()["texts"][0]["prompt"] == prompt


def test_words_too(book: Path, tmp_path: Path) -> None:
    run = trained(book, tmp_path / "run", tokens="words", steps=8, batch_size=4, epochs=1)
    (written,) = run.texts
    assert len(written.prompt.split()) == 6


def test_the_training_does_not_notice(book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = trained(book, tmp_path / "sampled")
    monkeypatch.setattr(TextSampler, "_is_due", lambda *_: False)
    plain = trained(book, tmp_path / "plain")
    assert not plain.texts
    assert len(sampled.texts) == 3
    assert_same_end(sampled, plain)


@pytest.mark.every(2)
@pytest.mark.parametrize("moments", [(5,), (12, 22)], ids=str)
def test_a_resume_ends_with_the_same_texts(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moments: tuple[int, ...]
) -> None:
    whole = trained(book, tmp_path / "whole")
    interrupt_at(monkeypatch, *moments)
    with pytest.raises(Interrupted, match="parts"):
        trained(book, tmp_path / "parts")
    for _ in moments[1:]:
        with pytest.raises(Interrupted, match="parts"):
            danlu.resume(tmp_path / "parts", progress=False)
    resumed = danlu.resume(tmp_path / "parts", progress=False)
    assert resumed.texts == whole.texts
    assert_same_end(whole, resumed)


class OneLength(nn.Module):
    """A net of a user's that takes as many tokens as a sample has, no more, and draws random numbers in evaluation."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, 8)
        self.out = nn.Linear(8, tokens)

    def forward(self, x: Tensor) -> Tensor:
        torch.rand(1)
        if x.shape[1] > 35:
            raise ValueError("35 tokens at most")
        return self.out(self.embed(x))


def test_a_net_that_cannot_be_asked_is_trained_all_the_same(book: Path, tmp_path: Path) -> None:
    data = danlu.load(str(book))
    run = danlu.fit(OneLength(data.outputs), data, folder=tmp_path / "run", epochs=2, batch_size=8, progress=False)
    assert run.finished
    assert not run.texts


def test_the_samples_between_the_ends_cost_no_more_than_their_share(
    book: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]

    def slowly(*_: Any, **__: Any) -> str:
        clock[0] += 1000.0
        return "…"

    monkeypatch.setattr(text_samples, "generate", slowly)
    monkeypatch.setattr(text_samples, "_MAX_SECONDS", 0.5)
    monkeypatch.setattr(text_samples, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    run = trained(book, tmp_path / "run", epochs=8)
    assert [one.epoch for one in run.texts] == [1, 8]


@pytest.mark.parametrize("epochs", [1, 2, 9, 10, 11, 50, 1000])
def test_about_ten_epochs_are_sampled_the_ends_among_them(epochs: int) -> None:
    sampled = spread_epochs(epochs, 10)
    assert {1, epochs} <= sampled <= set(range(1, epochs + 1))
    assert len(sampled) == min(epochs, 10)


def test_what_a_resume_does_over_is_void() -> None:
    told = [TextGenerated(epoch=number, step=10 * number, prompt="a", text=f"b{number}").to_json() for number in (1, 2)]
    block = {"kind": "steps", "first": 1, "epoch": 1, "loss": [1.0] * 20, "lr": 0.1}
    history = RunHistory.of([block, *told, {"kind": "resume", "step": 15}])
    assert [one.epoch for one in history.texts] == [1]


def test_a_training_that_ends_early_shows_its_last_text(book: Path, tmp_path: Path) -> None:
    run = trained(book, tmp_path / "run", epochs=200, patience=1, lr=1e-30)
    assert run.texts[-1].epoch == run.epochs < 200


def test_where_a_listener_stops_the_texts_so_far_stay(book: Path, tmp_path: Path) -> None:
    def stop(event: Event) -> Stop | None:
        return Stop("enough") if isinstance(event, danlu.EpochDone) else None

    run = trained(book, tmp_path / "run", listeners=[stop])
    assert [one.epoch for one in run.texts] == [1]
