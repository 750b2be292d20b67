"""The multilayer perceptron."""

from collections.abc import Sequence

from torch import Tensor, nn

from danlu.nets.blocks import ACTIVATIONS
from danlu.nets.options import OptionCheck


class MLP(nn.Module):
    """Linear layers with an activation between them: samples [N, …] are flattened to [N, inputs], outputs [N, outputs].

    `hidden` gives the widths of the hidden layers, first to last; after each stand the activation and, where `dropout`
    is above 0, dropout with that probability. The outputs are logits (classification) or numbers (regression).
    Raises UserError for options that do not fit.

    >>> import torch
    >>> MLP(inputs=784, outputs=10, hidden=(128,))(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        inputs: int = 784,
        outputs: int = 10,
        hidden: int | Sequence[int] = (128,),
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.inputs = check.count("inputs", inputs)
        self.outputs = check.count("outputs", outputs)
        self.hidden = check.widths("hidden", hidden)
        self.activation = check.choice("activation", activation, ACTIVATIONS)
        self.dropout = check.fraction("dropout", dropout)
        check.done()
        layers: list[nn.Module] = []
        width = self.inputs
        for next_width in self.hidden:
            layers += [nn.Linear(width, next_width), ACTIVATIONS[self.activation]()]
            if self.dropout:
                layers.append(nn.Dropout(self.dropout))
            width = next_width
        self.layers = nn.Sequential(*layers, nn.Linear(width, self.outputs))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))
