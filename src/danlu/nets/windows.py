"""Recurrent nets on windows of numbers: the last state, or the change that it says, to what comes next."""

from typing import ClassVar

from torch import Tensor, nn

from danlu.nets.blocks import WINDOW_SHORTCUTS, window_shortcut
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck
from danlu.nets.recurrence import PLACEMENTS, check_engine, recurrent_layer, run


class WindowRNN(nn.Module):
    """Windows of numbers [N, T, features] to outputs [N, outputs], from the state of the last recurrent layer after the
    last step: tanh (Elman 1990).

    There are `layers` of width `hidden`, `dropout` between them and in front of the output, or with `dropout_placement`
    "inside" on the state that goes into the next step. With the `shortcut` "last"
    the first feature's value at the last step is added to each output, so that the net says by how much the next values
    differ from it; with "linear" a weighted sum of the whole `window`, which only then has to be of that length.
    `forget_bias` is the forget gate's at the start (LSTM only); `engine` "torch" takes torch's layers, "own"
    danlu's of equal result, "auto" torch's, which are faster. Raises UserError for options that do not fit.

    >>> import torch
    >>> WindowRNN(features=3, outputs=2)(torch.zeros(5, 14, 3)).shape
    torch.Size([5, 2])
    """

    cell: ClassVar[str] = "rnn"

    def __init__(
        self,
        window: int = 14,
        features: int = 1,
        outputs: int = 1,
        hidden: int = 32,
        layers: int = 1,
        dropout: float = 0.0,
        dropout_placement: str = "around",
        shortcut: str = "none",
        forget_bias: float = 1.0,
        engine: str = "auto",
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.window = check.count("window", window)
        self.features = check.count("features", features)
        self.outputs = check.count("outputs", outputs)
        self.hidden = check.count("hidden", hidden)
        self.layers = check.layers("layers", layers)
        self.dropout = check.fraction("dropout", dropout)
        self.shortcut = check.choice("shortcut", shortcut, WINDOW_SHORTCUTS)
        self.forget_bias = check.number("forget_bias", forget_bias)
        self.dropout_placement = check.choice("dropout_placement", dropout_placement, PLACEMENTS)
        self.engine = check_engine(check, engine, self.dropout_placement, self.dropout)
        self.init = init_option(check, init)
        check.done()
        self.recurrent = recurrent_layer(
            self.cell,
            self.features,
            self.hidden,
            self.layers,
            dropout=self.dropout,
            placement=self.dropout_placement,
            engine=self.engine,
            forget_bias=self.forget_bias,
        )
        self.drop = nn.Dropout(self.dropout if self.dropout_placement == "around" else 0.0)
        self.output = nn.Linear(self.hidden, self.outputs)
        self.past = window_shortcut(self.shortcut, self.window, self.features, self.outputs)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        states, _ = run(self.recurrent, x)
        said = self.output(self.drop(states[:, -1]))
        return said if self.past is None else said + self.past(x)


class WindowGRU(WindowRNN):
    """The same of gated recurrent units (Cho et al. 2014, https://arxiv.org/abs/1406.1078).

    >>> import torch
    >>> WindowGRU(features=3)(torch.zeros(5, 14, 3)).shape
    torch.Size([5, 1])
    """

    cell = "gru"


class WindowLSTM(WindowRNN):
    """The same of long short-term memory (Hochreiter and Schmidhuber 1997, https://doi.org/10.1162/neco.1997.9.8.1735).

    >>> import torch
    >>> WindowLSTM(features=3)(torch.zeros(5, 14, 3)).shape
    torch.Size([5, 1])
    """

    cell = "lstm"
