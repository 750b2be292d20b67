"""A recurrent net's parameters do not grow with the number of time steps: counted for sequences of 5 to 500 steps, of
which the net's computation grows, and beside a fully connected net, whose parameters do grow."""

from collections.abc import Sequence

import torch
from torch import nn

from danlu.claims.claim import IdentityClaim
from danlu.claims.evidence import CurveData, Plot

_LENGTHS = (5, 20, 100, 500)
_INPUTS, _HIDDEN = 4, 16


def _parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def recurrent(length: int) -> int:
    """The parameters of an LSTM once it has read sequences of `length` steps."""
    net = nn.LSTM(_INPUTS, _HIDDEN, batch_first=True)
    outputs, _ = net(torch.zeros(2, length, _INPUTS))
    assert outputs.shape == (2, length, _HIDDEN)
    return _parameters(net)


def _checks() -> dict[str, float]:
    counts = [recurrent(length) for length in _LENGTHS]
    # Four gates, each with weights for inputs and state and torch's two biases.
    by_formula = 4 * _HIDDEN * (_INPUTS + _HIDDEN + 2)
    return {"same-count": float(max(counts) - min(counts)), "by-formula": float(abs(counts[0] - by_formula))}


def _figure() -> Sequence[Plot]:
    counts = [float(recurrent(length)) for length in _LENGTHS]
    dense = [float(_parameters(nn.Linear(length * _INPUTS, _HIDDEN))) for length in _LENGTHS]
    curves = [CurveData("recurrent", list(_LENGTHS), counts), CurveData("fully-connected", list(_LENGTHS), dense)]
    return [Plot("steps", "parameters", curves, log_x=True, log_y=True)]


RNN_PARAMETERS_CONSTANT = IdentityClaim(
    "rnn-parameters-constant", {"same-count": 0.0, "by-formula": 0.0}, _checks, _figure
)
