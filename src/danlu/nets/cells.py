"""Recurrent layers written out: the Elman net, the GRU and the LSTM, a loop over time in plain tensor operations.

They have the constructor, the parameter names and shapes and the results of `nn.RNN`, `nn.GRU` and `nn.LSTM`, which are
faster on one model; these can be read, dropped out inside the recurrence, and stacked (`torch.func.vmap`).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = Tensor | tuple[Tensor, ...]


class Recurrent(nn.Module):
    """What the three have in common: layers, directions, and the loop over time.

    Inputs [T, N, input_size] ([N, T, input_size] with `batch_first`) to outputs [T, N, D·hidden_size] of the last layer
    and the state after the last step, [D·num_layers, N, hidden_size]; D is 2 with `bidirectional`, else 1. The initial
    state is 0 where none is given. With `lengths` (int64 [N]) each sample ends where its length says: outputs after
    that are 0, the final state is that of its last step, and the backward direction begins there, as for packed
    sequences. `dropout` acts between layers, `recurrent_dropout` on the hidden state that goes into the next step, with
    a new mask every step.
    """

    gates: int
    states: int = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        batch_first: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.bidirectional = bidirectional
        self.suffixes = ["", "_reverse"] if bidirectional else [""]
        bound = hidden_size**-0.5
        for layer in range(num_layers):
            size = hidden_size * len(self.suffixes) if layer else input_size
            for suffix in self.suffixes:
                shapes = {"weight_ih": (size,), "weight_hh": (hidden_size,), "bias_ih": (), "bias_hh": ()}
                for name, shape in shapes.items():
                    weight = torch.empty(self.gates * hidden_size, *shape).uniform_(-bound, bound)
                    self.register_parameter(f"{name}_l{layer}{suffix}", nn.Parameter(weight))

    def step(self, gates: Tensor, h: Tensor, weight: Tensor, bias: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
        """One step: what the input gave to the gates [N, gates·hidden_size] and the state before, to the state after.

        `h` goes into the gates through `weight` and `bias`; it may carry dropout. `memory` is the state as it was.
        """
        raise NotImplementedError

    def forward(self, x: Tensor, state: State | None = None, lengths: Tensor | None = None) -> tuple[Tensor, Any]:
        if self.batch_first:
            x = x.transpose(0, 1)
        if state is None:
            shape = (len(self.suffixes) * self.num_layers, x.shape[1], self.hidden_size)
            state = tuple(x.new_zeros(shape) for _ in range(self.states))
        initial = (state,) if isinstance(state, Tensor) else state
        alive = None if lengths is None else [step < lengths.to(x.device)[:, None] for step in range(len(x))]
        finals: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = F.dropout(x, self.dropout, self.training)
            outputs: list[Tensor] = []
            for suffix in self.suffixes:
                start = tuple(part[len(finals)] for part in initial)
                output, final = self._run(x, start, alive, f"l{layer}{suffix}")
                outputs.append(output)
                finals.append(final)
            x = torch.cat(outputs, dim=-1)
        last = tuple(torch.stack(parts) for parts in zip(*finals, strict=True))
        return x.transpose(0, 1) if self.batch_first else x, last[0] if self.states == 1 else last

    def _run(
        self, x: Tensor, state: tuple[Tensor, ...], alive: list[Tensor] | None, place: str
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """One layer in one direction: outputs [T, N, hidden_size] and the final state."""
        weight_ih, weight_hh, bias_ih, bias_hh = (
            getattr(self, f"{name}_{place}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        gates = F.linear(x, weight_ih, bias_ih).unbind(0)  # for all steps at once
        steps = range(len(gates))
        outputs: list[Tensor] = []
        for number in reversed(steps) if place.endswith("_reverse") else steps:
            h = F.dropout(state[0], self.recurrent_dropout, self.training) if self.recurrent_dropout else state[0]
            new = self.step(gates[number], h, weight_hh, bias_hh, *state)
            if alive is None:
                state = new
                outputs.append(new[0])
            else:
                state = tuple(
                    torch.where(alive[number], after, before) for after, before in zip(new, state, strict=True)
                )
                outputs.append(torch.where(alive[number], new[0], torch.zeros_like(new[0])))
        if place.endswith("_reverse"):
            outputs.reverse()
        return torch.stack(outputs), state


class RNN(Recurrent):
    """h' = tanh(W x + b + V h + c) (Elman 1990, https://doi.org/10.1207/s15516709cog1402_1).

    >>> outputs, state = RNN(3, 5, batch_first=True)(torch.zeros(2, 7, 3))
    >>> outputs.shape, state.shape
    (torch.Size([2, 7, 5]), torch.Size([1, 2, 5]))
    """

    gates = 1

    def step(self, gates: Tensor, h: Tensor, weight: Tensor, bias: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
        return (torch.tanh(gates + F.linear(h, weight, bias)),)


class GRU(Recurrent):
    """Reset gate r, update gate z, candidate n: h' = (1 - z)·n + z·h (Cho et al. 2014, https://arxiv.org/abs/1406.1078).

    As in cuDNN, r acts on what V h + c gave: n = tanh(W x + b + r·(V h + c)).

    >>> outputs, state = GRU(3, 5, num_layers=2, bidirectional=True)(torch.zeros(7, 2, 3))
    >>> outputs.shape, state.shape
    (torch.Size([7, 2, 10]), torch.Size([4, 2, 5]))
    """

    gates = 3

    def step(self, gates: Tensor, h: Tensor, weight: Tensor, bias: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
        reset_x, update_x, new_x = gates.chunk(3, dim=-1)
        reset_h, update_h, new_h = F.linear(h, weight, bias).chunk(3, dim=-1)
        reset = torch.sigmoid(reset_x + reset_h)
        update = torch.sigmoid(update_x + update_h)
        new = torch.tanh(new_x + reset * new_h)
        return ((1 - update) * new + update * memory[0],)


class LSTM(Recurrent):
    """Input gate i, forget gate f, candidate g, output gate o: c' = f·c + i·g, h' = o·tanh(c').

    Hochreiter and Schmidhuber 1997 (https://doi.org/10.1162/neco.1997.9.8.1735) with the forget gate of Gers et al.
    2000. The state is the pair (h, c).

    >>> outputs, (h, c) = LSTM(3, 5)(torch.zeros(7, 2, 3), lengths=torch.tensor([7, 4]))
    >>> outputs.shape, h.shape, c.shape
    (torch.Size([7, 2, 5]), torch.Size([1, 2, 5]), torch.Size([1, 2, 5]))
    """

    gates = 4
    states = 2

    def step(self, gates: Tensor, h: Tensor, weight: Tensor, bias: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
        take, forget, candidate, give = (gates + F.linear(h, weight, bias)).chunk(4, dim=-1)
        cell = torch.sigmoid(forget) * memory[1] + torch.sigmoid(take) * torch.tanh(candidate)
        return torch.sigmoid(give) * torch.tanh(cell), cell
