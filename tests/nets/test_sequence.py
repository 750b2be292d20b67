"""Sequence classifiers and language models: padding never counts, states carry over, engines agree."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.base.errors import UserError
from danlu.base.seeds import global_seed, stream
from danlu.nets import LanguageModel, SequenceClassifier, describe, detached
from danlu.nets.cells import Recurrent
from danlu.nets.recurrence import CELLS

TOKENS = torch.tensor([[3, 1, 4, 0, 0], [1, 5, 2, 2, 6], [2, 0, 0, 0, 0]])


def classifier(**options: Any) -> SequenceClassifier:
    with global_seed(0, "test"):
        return SequenceClassifier(**{"vocabulary": 7, "classes": 4, "embedding": 5, "hidden": 6, **options})


def model(**options: Any) -> LanguageModel:
    with global_seed(0, "test"):
        return LanguageModel(**{"vocabulary": 7, "embedding": 6, "hidden": 6, **options})


def tokens(batch: int, steps: int) -> Tensor:
    return torch.randint(1, 7, (batch, steps), generator=stream(0, "tokens"))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("engine", ["torch", "own"])
@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (3, 5), (4, 20)])
def test_every_cell_learns_at_three_sizes(cell: str, engine: str, batch: int, steps: int) -> None:
    net = classifier(cell=cell, engine=engine, layers=2, bidirectional=True)
    logits = net(tokens(batch, steps))
    assert logits.shape == (batch, 4)
    F.cross_entropy(logits, torch.arange(batch)).backward()
    frozen = [name for name, weight in net.named_parameters() if weight.grad is None]
    assert not frozen
    language = model(cell=cell, engine=engine, layers=2)
    logits, _ = language(tokens(batch, steps))
    assert logits.shape == (batch, steps, 7)
    logits.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in language.parameters())


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("engine", ["torch", "own"])
def test_padding_does_not_count(cell: str, bidirectional: bool, engine: str) -> None:
    net = classifier(cell=cell, bidirectional=bidirectional, engine=engine)
    together = net(TOKENS)
    alone = torch.cat([net(row[None, :length]) for row, length in zip(TOKENS, (3, 5, 1), strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=0)


def test_lengths_may_be_given_and_a_zero_within_counts() -> None:
    net = classifier()
    row = torch.tensor([[3, 0, 4, 0, 0]])
    torch.testing.assert_close(net(row), net(row, torch.tensor([3])))
    assert not torch.allclose(net(row), net(row, torch.tensor([5])))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_engines_agree_and_share_their_weights(cell: str, bidirectional: bool) -> None:
    options: dict[str, Any] = {"cell": cell, "bidirectional": bidirectional, "layers": 2}
    theirs, ours = classifier(engine="torch", **options), classifier(engine="own", **options)
    ours.load_state_dict(theirs.state_dict())
    assert isinstance(ours.recurrent, Recurrent)
    assert isinstance(theirs.recurrent, nn.RNNBase)
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS), atol=1e-6, rtol=0)
    assert describe(ours, (9,)).multiply_adds == describe(theirs, (9,)).multiply_adds


def test_the_forget_gate_starts_with_its_bias_and_no_other_gate_does() -> None:
    layer = classifier(forget_bias=1.5, layers=2, bidirectional=True).recurrent
    for place in ("l0", "l0_reverse", "l1", "l1_reverse"):
        total = getattr(layer, f"bias_ih_{place}") + getattr(layer, f"bias_hh_{place}")
        gates = total.detach().chunk(4)
        assert gates[1].tolist() == [1.5] * 6
        assert all((gate.abs() < 1).all() for gate in (gates[0], gates[2], gates[3]))


def test_other_cells_have_no_forget_gate() -> None:
    with global_seed(0, "test"):
        plain = nn.GRU(5, 6)
    assert classifier(cell="gru").recurrent.bias_ih_l0.abs().max() <= 6**-0.5 >= plain.bias_ih_l0.abs().max()


def test_dropout_around_the_recurrence() -> None:
    net = classifier(dropout=0.5, layers=2, hidden=32)
    assert isinstance(net.recurrent, nn.LSTM)
    assert (net.drop.p, net.recurrent.dropout) == (0.5, 0.5)
    assert classifier(dropout=0.5).recurrent.dropout == 0  # there is nothing between layers where there is one


def test_dropout_inside_the_recurrence_takes_danlus_cells() -> None:
    net = classifier(dropout=0.5, dropout_placement="inside")
    assert isinstance(net.recurrent, Recurrent)
    assert (net.drop.p, net.recurrent.recurrent_dropout, net.recurrent.dropout) == (0, 0.5, 0)
    torch.testing.assert_close(net.eval()(TOKENS), net(TOKENS))


def test_torchs_layers_cannot_drop_inside(language: str) -> None:
    with pytest.raises(UserError, match=r"net\.engine.*net\.dropout_placement"):
        classifier(engine="torch", dropout=0.1, dropout_placement="inside")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("engine", ["torch", "own"])
def test_a_text_goes_on_from_batch_to_batch(cell: str, engine: str) -> None:
    net = model(cell=cell, engine=engine, layers=2)
    text = tokens(2, 12)
    whole, last = net(text)
    first, state = net(text[:, :5])
    second, end = net(text[:, 5:], detached(state))
    torch.testing.assert_close(torch.cat([first, second], 1), whole, atol=1e-6, rtol=0)
    torch.testing.assert_close(end, last, atol=1e-6, rtol=0)


def test_a_detached_state_ends_the_way_back() -> None:
    net = model()
    _, state = net(tokens(2, 3))
    assert all(part.requires_grad for part in state)
    assert not any(part.requires_grad for part in detached(state))
    assert isinstance(detached(state[0]), Tensor)


def test_what_comes_later_does_not_count() -> None:
    net = model()
    text = tokens(2, 6)
    changed = text.clone()
    changed[:, 4:] = 1
    torch.testing.assert_close(net(text)[0][:, :4], net(changed)[0][:, :4])


def test_tied_weights_are_one_matrix() -> None:
    net = model(tied=True)
    assert net.embed.weight is net.output.weight
    assert (
        sum(weight.numel() for weight in model().parameters()) - sum(weight.numel() for weight in net.parameters())
        == 7 * 6
    )
    net(tokens(2, 3))[0].square().sum().backward()
    assert net.embed.weight.grad is not None


def test_tied_weights_want_equal_widths(language: str) -> None:
    with pytest.raises(UserError, match=r"net\.tied.* 5 .* 6"):
        model(tied=True, embedding=5)


def test_a_character_model_learns_a_line_by_heart() -> None:
    line = torch.tensor([[1, 2, 3, 1, 4, 5, 1, 6, 2, 2, 3, 5]])
    net = model(hidden=32, embedding=32, tied=True)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        logits, _ = net(line[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), line[0, 1:])
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1
