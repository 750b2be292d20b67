"""Recurrent layers as one operator each, so that an exported net takes sequences of every length.

torch.export unrolls `nn.LSTM` over the steps of its example, and cannot follow packed sequences at all. Here each layer
becomes the operator `danlu::recurrent`, which ONNX has as LSTM, GRU or RNN with the lengths as an input.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from danlu.nets.cells import GRU, LSTM, RNN, Recurrent
from danlu.ship.export.parts import opset

_CELLS: dict[type[nn.Module], str] = {
    nn.LSTM: "lstm", nn.GRU: "gru", nn.RNN: "rnn", LSTM: "lstm", GRU: "gru", RNN: "rnn"
}  # fmt: skip
_LAYERS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN, "rnn-relu": nn.RNN}
_INT32 = 6  # onnx.TensorProto.INT32


@torch.library.custom_op("danlu::recurrent", mutates_args=())
def recurrent(
    x: Tensor,
    lengths: Tensor | None,
    h: Tensor | None,
    c: Tensor | None,
    weights: Sequence[Tensor],
    cell: str,
    layers: int,
    bidirectional: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """[T, N, inputs] through the layers of a `cell`, each sample up to its length: outputs [T, N, D·hidden], and the
    states h and c, [D·layers, N, hidden], after the last step (c is h where the cell has none). `weights` are those of
    torch's layers, in their order.
    """
    inputs, hidden = x.shape[2], weights[1].shape[1]
    more: dict[str, Any] = {"nonlinearity": "relu"} if cell == "rnn-relu" else {}
    with torch.device("meta"):
        layer = _LAYERS[cell](inputs, hidden, layers, bidirectional=bidirectional, **more)
    names = [name for name, _ in layer.named_parameters()]
    given: Any = x if lengths is None else pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)
    state: Any = None if h is None else (h, c) if cell == "lstm" else h
    outputs, state = torch.func.functional_call(layer, dict(zip(names, weights, strict=True)), (given, state))
    if lengths is not None:
        outputs, _ = nn.utils.rnn.pad_packed_sequence(outputs, total_length=len(x))
    last, memory = state if cell == "lstm" else (state, state)
    return outputs.clone(), last.clone(), memory.clone()


@recurrent.register_fake
def _(
    x: Tensor,
    lengths: Tensor | None,
    h: Tensor | None,
    c: Tensor | None,
    weights: Sequence[Tensor],
    cell: str,
    layers: int,
    bidirectional: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    directions, hidden = 1 + bidirectional, weights[1].shape[1]
    last = x.new_empty(layers * directions, x.shape[1], hidden)
    return x.new_empty(x.shape[0], x.shape[1], directions * hidden), last, torch.empty_like(last)


class ExportedRecurrent(Recurrent):
    """A recurrent layer of torch or of danlu that calls the operator, with its weights under their names."""

    def __init__(self, layer: nn.Module, cell: str) -> None:
        sizes: Any = (layer.input_size, layer.hidden_size, layer.num_layers)
        self.gates, self.states = {"lstm": (4, 2), "gru": (3, 1)}.get(cell, (1, 1))
        with torch.device("meta"):
            super().__init__(*sizes, batch_first=bool(layer.batch_first), bidirectional=bool(layer.bidirectional))
        for name, parameter in layer.named_parameters():
            self.register_parameter(name, nn.Parameter(parameter.detach()))
        self.cell = cell

    def forward(self, x: Tensor, state: Any = None, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        x = x.transpose(0, 1) if self.batch_first else x
        h, c = state if isinstance(state, tuple) else (state, None)
        weights, both = list(self.parameters()), self.bidirectional
        outputs, h, c = recurrent(x, lengths, h, c, weights, self.cell, self.num_layers, both)
        return outputs.transpose(0, 1) if self.batch_first else outputs, (h, c) if self.cell == "lstm" else h


def with_exported_layers(net: nn.Module) -> nn.Module:
    """The same net (in place) with its recurrent layers as operators; those that ONNX has no form for stay."""
    for parent in list(net.modules()):
        for name, layer in list(parent.named_children()):
            cell = _CELLS.get(type(layer))
            if cell is None or getattr(layer, "proj_size", 0) or not getattr(layer, "bias", True):
                continue
            cell += "-relu" if getattr(layer, "nonlinearity", "tanh") == "relu" else ""
            setattr(parent, name, ExportedRecurrent(layer, cell).eval())
    return net


def to_onnx(
    x: Any, lengths: Any, h: Any, c: Any, weights: Sequence[Any], cell: str, layers: int, bidirectional: bool
) -> tuple[Any, Any, Any]:
    """The operator in those of ONNX: one LSTM, GRU or RNN a layer; torch's GRU resets behind the linear map."""
    op, directions = opset(), 1 + bidirectional
    steps = None if lengths is None else op.Cast(lengths, to=_INT32)
    kinds: dict[str, Any] = {
        "direction": "bidirectional" if bidirectional else "forward",
        "hidden_size": int(weights[1].shape[1]),
    }
    if cell == "gru":
        kinds["linear_before_reset"] = 1
    if cell.startswith("rnn"):
        kinds["activations"] = ["Relu" if cell == "rnn-relu" else "Tanh"] * directions
    take = {"lstm": op.LSTM, "gru": op.GRU}.get(cell, op.RNN)
    states: list[tuple[Any, ...]] = []
    for layer in range(layers):
        first = 4 * layer * directions
        own = [weights[first + 4 * way : first + 4 * way + 4] for way in range(directions)]
        gates = [[_gates(op, weight, cell) for weight in four] for four in own]
        w, r = (_stacked(op, [four[which] for four in gates]) for which in (0, 1))
        b = _stacked(op, [op.Concat(four[2], four[3], axis=0) for four in gates])
        start = [_of_layer(op, state, layer, directions) for state in ((h, c) if cell == "lstm" else (h,))]
        y, *last = take(x, w, r, b, steps, *start, **kinds)
        states.append(tuple(last))
        x = op.Reshape(op.Transpose(y, perm=[0, 2, 1, 3]), op.Constant(value_ints=[0, 0, -1]))
    ends = [op.Concat(*parts, axis=0) if layers > 1 else parts[0] for parts in zip(*states, strict=True)]
    return x, ends[0], ends[-1] if len(ends) > 1 else op.Identity(ends[0])


def _gates(op: Any, weight: Any, cell: str) -> Any:
    """Torch has the gates of an LSTM as i, f, g, o and ONNX as i, o, f, g; of a GRU r, z, n and z, r, n."""
    order = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}.get(cell)
    if order is None:
        return weight
    size = int(weight.shape[0]) // len(order)
    rows = [gate * size + place for gate in order for place in range(size)]
    return op.Gather(weight, op.Constant(value_ints=rows), axis=0)


def _stacked(op: Any, parts: Sequence[Any]) -> Any:
    axis = op.Constant(value_ints=[0])
    wide = [op.Unsqueeze(part, axis) for part in parts]
    return op.Concat(*wide, axis=0) if len(wide) > 1 else wide[0]


def _of_layer(op: Any, state: Any, layer: int, directions: int) -> Any:
    if state is None:
        return None
    ends = (op.Constant(value_ints=[place * directions]) for place in (layer, layer + 1))
    return op.Slice(state, *ends, op.Constant(value_ints=[0]))
