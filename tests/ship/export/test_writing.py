"""A translation as a loop: the same texts as the run writes, token for token."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn

from danlu.base.errors import UserError
from danlu.base.token_numbers import END
from danlu.ship.export.compare import difference
from danlu.ship.export.exported import ExportedNet
from danlu.ship.export.feeds import feeds_of
from danlu.ship.export.onnx_file import FileAnswers
from danlu.ship.export.proof import reference
from danlu.ship.export.writing import Writing
from export_tasks import ALL

KINDS = ("writes-gru", "writes-lstm", "writes-rnn", "writes-transformer")


def plain_loop(goes_on: Callable[..., Tensor], one_more: Callable[..., tuple[Tensor, ...]], carried: Any) -> Any:
    """What torch.while_loop means."""
    while bool(goes_on(*carried)):
        carried = one_more(*carried)
    return carried


@pytest.mark.every(2)
@pytest.mark.parametrize("kind", KINDS)
def test_the_loop_writes_what_the_run_writes(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = ALL[kind]()
    net, sources = case.answerer.net, case.answerer.encode(case.raw)
    writing = Writing(net, case.answerer.fitted.outputs)
    wanted = writing(sources)
    assert torch.equal(wanted[:, : net.translate(sources).shape[1]], net.translate(sources))  # type: ignore[operator]
    monkeypatch.setattr(torch.compiler, "is_exporting", lambda: True)
    monkeypatch.setattr(torch, "while_loop", plain_loop)
    with torch.no_grad():
        assert torch.equal(writing(sources), wanted)
        assert torch.equal(writing(sources[:1]), wanted[:1])
    assert set((wanted == END).sum(1).tolist()) == {0, 1}
    assert len({tuple(text) for text in wanted.tolist()}) > 3


class Own(nn.Module):
    """Writes, and nobody knows how."""

    def translate(self, sources: Tensor, *, beam: int = 1) -> Tensor:
        return sources


def test_other_nets_are_refused_with_the_reason(language: str) -> None:
    with pytest.raises(UserError, match="RecurrentEncoderDecoder") as refused:
        Writing(Own(), 5)
    assert ("Own cannot be exported" in str(refused.value)) == (language == "en")


@pytest.mark.parametrize("kind", ["writes-gru", "writes-lstm"])
@pytest.mark.parametrize("raw", [False, True])
def test_a_file_says_the_texts_of_its_run(kind: str, raw: bool) -> None:
    case = ALL[kind]()
    interface, some = case.interface(raw=raw), case.some(9)
    found = reference(case.answerer, case.answerer.encode(some))
    file = ExportedNet(Path("m.onnx"), {"preprocessing": interface.plain, "raw": raw}, lambda feeds: found, str)
    assert file.predict(some).tolist() == case.answerer.predict(some).tolist()
    assert list(interface.outputs) == ["numbers" if raw else "written", "lengths"]
    assert interface.description()["written"]["joined_by"] == (" " if kind == "writes-lstm" else "")
    assert feeds_of(some, interface).arrays["tokens"].shape == case.answerer.encode(some).shape
    other = FileAnswers(numpy.roll(found.values, 1, 1), None, found.outputs)
    assert difference(found, found).none
    assert difference(other, found).labels > 0
