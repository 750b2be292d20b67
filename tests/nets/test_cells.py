"""danlu's recurrent layers: equal to torch's in names, outputs, states and gradients; stackable; dropout inside."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from danlu.base.seeds import global_seed, stream
from danlu.nets import GRU, LSTM, RNN
from danlu.nets.cells import Recurrent

PAIRS: dict[str, tuple[type[Recurrent], type[nn.RNNBase]]] = {
    "rnn": (RNN, nn.RNN),
    "gru": (GRU, nn.GRU),
    "lstm": (LSTM, nn.LSTM),
}
SIZE = st.integers(1, 6)


def numbers(*shape: int, name: str = "x", dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(*shape, generator=stream(0, name), dtype=dtype)


def pair(cell: str, *sizes: int, **options: Any) -> tuple[Recurrent, nn.RNNBase]:
    """Our layer and torch's with equal weights."""
    ours_class, theirs_class = PAIRS[cell]
    with global_seed(0, "test"):
        theirs = theirs_class(*sizes, **options)
        ours = ours_class(*sizes, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def parts(state: Any) -> tuple[Tensor, ...]:
    return state if isinstance(state, tuple) else (state,)


def assert_equal(ours: Any, theirs: Any) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)


@pytest.mark.parametrize("cell", PAIRS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_names_and_shapes_are_torchs(cell: str, bidirectional: bool) -> None:
    ours, theirs = pair(cell, 3, 5, 2, bidirectional=bidirectional)
    names = [(name, weight.shape) for name, weight in ours.named_parameters()]
    assert names == [(name, weight.shape) for name, weight in theirs.named_parameters()]
    assert f"weight_hh_l1{'_reverse' * bidirectional}" in dict(names)


@pytest.mark.parametrize("cell", PAIRS)
def test_first_weights_are_torchs(cell: str) -> None:
    ours_class, theirs_class = PAIRS[cell]
    with global_seed(0, "test"):
        ours = ours_class(3, 5, 2)
    with global_seed(0, "test"):
        theirs = theirs_class(3, 5, 2)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


@settings(max_examples=60, deadline=None)
@given(
    cell=st.sampled_from(sorted(PAIRS)),
    sizes=st.tuples(SIZE, SIZE, st.integers(1, 3)),
    batch=SIZE,
    lengths=st.lists(st.integers(1, 7), min_size=6, max_size=6),
    bidirectional=st.booleans(),
    batch_first=st.booleans(),
    given_state=st.booleans(),
    packed=st.booleans(),
)
def test_outputs_states_and_gradients_equal_torchs(
    cell: str,
    sizes: tuple[int, int, int],
    batch: int,
    lengths: list[int],
    bidirectional: bool,
    batch_first: bool,
    given_state: bool,
    packed: bool,
) -> None:
    ours, theirs = pair(cell, *sizes, bidirectional=bidirectional, batch_first=batch_first)
    ends = torch.tensor(lengths[:batch])
    steps = int(ends.max())
    inputs = numbers(batch, steps, sizes[0]) if batch_first else numbers(steps, batch, sizes[0])
    shape = (sizes[2] * (1 + bidirectional), batch, sizes[1])
    starts = [numbers(*shape, name=name) for name in ("h", "c")[: ours.states]]
    results: list[tuple[Tensor, ...]] = []
    for layer in (ours, theirs):
        x = inputs.clone().requires_grad_()
        initial = [part.clone().requires_grad_() for part in starts]
        state = (tuple(initial) if len(initial) > 1 else initial[0]) if given_state else None
        if isinstance(layer, Recurrent):
            outputs, final = layer(x, state, ends if packed else None)
        elif packed:
            sequence = pack_padded_sequence(x, ends, batch_first=batch_first, enforce_sorted=False)
            outputs, final = layer(sequence, state)
            outputs, _ = pad_packed_sequence(outputs, batch_first=batch_first)
        else:
            outputs, final = layer(x, state)
        weighted = (outputs * numbers(*outputs.shape, name="weights")).sum() + sum(
            part.sin().sum() for part in parts(final)
        )
        weighted.backward()
        gradients = [x.grad, *(part.grad for part in initial if given_state), *(w.grad for w in layer.parameters())]
        # A gradient summed over the batch and the steps grows with them, and its rounding too.
        scale = max(1.0, batch * steps / 4)
        results.append((outputs, *parts(final), *(gradient / scale for gradient in gradients if gradient is not None)))
    assert_equal(results[0], results[1])


@pytest.mark.parametrize("cell", PAIRS)
def test_gradients_equal_finite_differences(cell: str) -> None:
    ours, _ = pair(cell, 2, 3, 2, bidirectional=True)
    ours.double()
    names = [name for name, _ in ours.named_parameters()]

    def outputs(x: Tensor, *weights: Tensor) -> Tensor:
        values = dict(zip(names, weights, strict=True))
        return torch.func.functional_call(ours, values, (x,), {"lengths": torch.tensor([4, 2])})[0]

    x = numbers(4, 2, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(outputs, (x, *ours.parameters()), fast_mode=True)


@pytest.mark.parametrize("cell", PAIRS)
def test_stacked_layers_equal_single_ones(cell: str) -> None:
    layers = [pair(cell, 3, 4)[0] for _ in range(3)]
    for number, layer in enumerate(layers):
        nn.init.constant_(layer.weight_hh_l0, 0.1 * number)
    stacked, _ = torch.func.stack_module_state(layers)
    x = numbers(5, 2, 3)

    def outputs(weights: dict[str, Tensor]) -> Tensor:
        return torch.func.functional_call(layers[0], weights, (x,))[0]

    assert_equal(torch.vmap(outputs)(stacked), torch.stack([layer(x)[0] for layer in layers]))


@pytest.mark.parametrize("cell", PAIRS)
def test_dropout_inside_changes_what_is_carried_on_but_not_the_first_step(cell: str) -> None:
    ours, theirs = pair(cell, 3, 40)
    ours.recurrent_dropout = 0.5
    x = numbers(4, 2, 3)
    expected, _ = theirs(x)
    with global_seed(0, "test"):
        found, _ = ours(x)
    assert_equal(found[0], expected[0])  # the state before it is 0
    assert ((found[1] - expected[1]).abs() > 1e-4).any()
    assert_equal(ours.eval()(x)[0], expected)


def test_dropout_between_layers_spares_the_last() -> None:
    with global_seed(0, "test"):
        ours = LSTM(3, 50, 2, dropout=0.5)
        outputs, _ = ours(numbers(4, 2, 3))
        again, _ = ours(numbers(4, 2, 3))
    assert not torch.equal(outputs, again)
    assert outputs.all()
    assert_equal(ours.eval()(numbers(4, 2, 3)), ours(numbers(4, 2, 3)))
