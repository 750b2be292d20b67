"""Mixture density nets: not one number for an input, but the density of all that may come (Bishop 1994).

https://publications.aston.ac.uk/id/eprint/373/
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from danlu.nets.blocks import ACTIVATIONS
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck


class MixtureHead(nn.Module):
    """Features [N, inputs] to a mixture of Gaussians over `outputs` numbers: [N, components, 1 + 2·outputs].

    Of each component: the logit of its weight, its means, and the logarithms of its precisions (1/variance, one for
    each number). A logarithm needs no bound, and the precision is what the density multiplies by, so a component that
    grows narrow divides by nothing.

    >>> MixtureHead(16, outputs=2, components=3)(torch.zeros(5, 16)).shape
    torch.Size([5, 3, 5])
    """

    def __init__(self, inputs: int, outputs: int, components: int) -> None:
        super().__init__()
        self.components = components
        self.linear = nn.Linear(inputs, components * (1 + 2 * outputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).unflatten(-1, (self.components, -1))


class MixtureDensityNet(nn.Module):
    """A multilayer perceptron with a mixture of Gaussians at its end: samples [N, …] to [N, components, 1 + 2·outputs].

    Trained with the loss "mixture-nll"; `mixture` reads the outputs. Raises UserError for options that do not fit.

    >>> net = MixtureDensityNet(inputs=1, outputs=1)
    >>> mixture(net(torch.zeros(5, 1))).log_prob(torch.zeros(5, 1)).shape
    torch.Size([5])
    """

    def __init__(
        self,
        inputs: int,
        outputs: int = 1,
        components: int = 5,
        hidden: int | Sequence[int] = (64, 64),
        activation: str = "tanh",
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.inputs = check.count("inputs", inputs)
        self.outputs = check.count("outputs", outputs)
        self.components = check.count("components", components)
        self.hidden = check.widths("hidden", hidden)
        self.activation = check.choice("activation", activation, ACTIVATIONS)
        self.init = init_option(check, init)
        check.done()
        widths = (self.inputs, *self.hidden)
        layers: list[nn.Module] = []
        for width_in, width_out in pairwise(widths):
            layers += [nn.Linear(width_in, width_out), ACTIVATIONS[self.activation]()]
        self.body = nn.Sequential(*layers)
        self.head = MixtureHead(widths[-1], self.outputs, self.components)
        if self.init != DEFAULT:
            initialise(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x.flatten(1)))


def mixture(outputs: Tensor) -> torch.distributions.MixtureSameFamily:
    """The outputs [N, K, 1 + 2·D] as torch distributions over [D]: `.mean`, `.variance`, `.sample()`, `.log_prob(y)`.

    >>> mixture(torch.zeros(5, 3, 1 + 2 * 2)).mean.shape
    torch.Size([5, 2])
    """
    size = outputs.shape[-1] // 2
    deviations = torch.exp(-0.5 * outputs[..., 1 + size :])
    parts = torch.distributions.Independent(torch.distributions.Normal(outputs[..., 1 : 1 + size], deviations), 1)
    return torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=outputs[..., 0]), parts)
