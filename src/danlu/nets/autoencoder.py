"""An autoencoder: what goes in comes out again, through a code of few numbers."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from danlu.nets.blocks import ACTIVATIONS
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.mlp import MLP
from danlu.nets.options import OptionCheck


class Autoencoder(nn.Module):
    """Samples [N, …] with values from 0 to 1, flattened, to their reconstruction [N, inputs], also between 0 and 1.

    An encoder of widths `hidden` down to `code` numbers, and the same back; a sigmoid at the end, as samples are not
    standardised. Its target is its input, `x.flatten(1)` (Hinton and Salakhutdinov 2006,
    https://doi.org/10.1126/science.1127647). Raises UserError for options that do not fit.

    >>> net = Autoencoder(inputs=784, code=8)
    >>> net(torch.zeros(5, 1, 28, 28)).shape, net.encode(torch.zeros(5, 1, 28, 28)).shape
    (torch.Size([5, 784]), torch.Size([5, 8]))
    """

    sample_range = (0.0, 1.0)

    def __init__(
        self,
        inputs: int = 784,
        hidden: int | Sequence[int] = (128,),
        code: int = 32,
        activation: str = "relu",
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.inputs = check.count("inputs", inputs)
        self.hidden = check.widths("hidden", hidden)
        self.code = check.count("code", code)
        self.activation = check.choice("activation", activation, ACTIVATIONS)
        self.init = init_option(check, init)
        check.done()
        self.encoder = MLP(self.inputs, self.code, self.hidden, activation=self.activation)
        self.decoder = MLP(self.code, self.inputs, self.hidden[::-1], activation=self.activation)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def encode(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def decode(self, code: Tensor) -> Tensor:
        return torch.sigmoid(self.decoder(code))

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))
