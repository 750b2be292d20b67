"""The recurrent part of nets on tokens: which cell, whose engine, where dropout acts, and the forget gate's bias."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from danlu.nets.cells import GRU, LSTM, RNN, Recurrent, State
from danlu.nets.options import OptionCheck

CELLS: dict[str, tuple[Callable[..., nn.RNNBase], type[Recurrent]]] = {
    "rnn": (nn.RNN, RNN),
    "gru": (nn.GRU, GRU),
    "lstm": (nn.LSTM, LSTM),
}
PLACEMENTS = ("around", "inside")
ENGINES = ("auto", "torch", "own")


def check_engine(check: OptionCheck, engine: object, placement: str, dropout: float) -> str:
    """The option `engine`; torch's own layers have no dropout inside the recurrence."""
    chosen = check.choice("engine", engine, ENGINES)
    if chosen == "torch" and placement == "inside" and dropout:
        check.faults.add("nets.own-engine-only")
    return chosen


def recurrent_layer(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    *,
    dropout: float,
    placement: str,
    engine: str,
    forget_bias: float,
    bidirectional: bool = False,
) -> nn.RNNBase | Recurrent:
    """A recurrent layer for [N, T, input_size], torch's where it can do what is asked ("auto"), for it is faster.

    `dropout` acts between layers ("around", Zaremba et al. 2014, https://arxiv.org/abs/1409.2329) or on the state that
    goes into the next step ("inside"). The forget gate of an LSTM starts with the bias `forget_bias` (Jozefowicz et al.
    2015, http://proceedings.mlr.press/v37/jozefowicz15.html), the sum of its two.
    """
    theirs, ours = CELLS[cell]
    inside = dropout if placement == "inside" else 0.0
    between = dropout if placement == "around" and num_layers > 1 else 0.0
    own = engine == "own" or (engine == "auto" and inside > 0)
    sizes = (input_size, hidden_size, num_layers)
    layer: nn.RNNBase | Recurrent
    if own:
        layer = ours(*sizes, batch_first=True, dropout=between, recurrent_dropout=inside, bidirectional=bidirectional)
    else:
        layer = theirs(*sizes, batch_first=True, dropout=between, bidirectional=bidirectional)
    if cell == "lstm":
        set_forget_bias(layer, forget_bias)
    return layer


def set_forget_bias(layer: nn.RNNBase | Recurrent, bias: float) -> None:
    """Let the forget gates of an LSTM start at `bias`: all of it in bias_ih, 0 in bias_hh, which is added to it."""
    forget = slice(layer.hidden_size, 2 * layer.hidden_size)
    for name, parameter in layer.named_parameters():
        if name.startswith("bias"):
            with torch.no_grad():
                parameter[forget] = bias if name.startswith("bias_ih") else 0.0


def run(
    layer: nn.RNNBase | Recurrent, x: Tensor, state: State | None = None, lengths: Tensor | None = None
) -> tuple[Tensor, Any]:
    """Outputs [N, T, …] and final state of `layer` on [N, T, input_size], each sample up to its length."""
    if isinstance(layer, Recurrent):
        return layer(x, state, lengths)
    if lengths is None:
        return layer(x, state)
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    outputs, state = layer(packed, state)
    return pad_packed_sequence(outputs, batch_first=True, total_length=x.shape[1])[0], state


def within_lengths(tokens: Tensor, lengths: Tensor) -> Tensor:
    """Which places of [N, T] are no padding, where each row has so many: bool [N, T].

    >>> within_lengths(torch.zeros(2, 3), torch.tensor([1, 3])).tolist()
    [[True, False, False], [True, True, True]]
    """
    return torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]


def lengths_of(tokens: Tensor) -> Tensor:
    """How many tokens each row of [N, T] has before its padding of 0: int64 [N]; a row of padding counts as one.

    >>> lengths_of(torch.tensor([[5, 0, 7, 0], [0, 0, 0, 0]]))
    tensor([3, 1])
    """
    places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
    return ((tokens != 0) * places).amax(1).clamp(min=1)
