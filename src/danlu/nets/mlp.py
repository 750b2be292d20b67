"""The multilayer perceptron."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from danlu.nets.blocks import ACTIVATIONS, FEATURE_NORMS, Residual
from danlu.nets.initialisers import DEFAULT, Init, init_option, initialise
from danlu.nets.options import OptionCheck


class MLP(nn.Module):
    """Linear layers with an activation between them: samples [N, …] are flattened to [N, inputs], outputs [N, outputs].

    `hidden` gives the widths of the hidden layers, first to last; or `depth` and `width` say how many of one width
    (one of 128 where nothing is said). After each stand the activation, the normalisation `norm` ("none", "batch",
    "layer") before or after it, and dropout with that probability where it is above 0. With `residual` each hidden
    layer is added to what goes into it, projected where the widths differ. `init` draws the first weights (see
    `initialise`); "default" leaves torch's own. The outputs are logits (classification) or numbers (regression).
    Raises UserError for options that do not fit.

    >>> import torch
    >>> MLP(inputs=784, outputs=10, hidden=(128,))(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        inputs: int = 784,
        outputs: int = 10,
        hidden: int | Sequence[int] | None = None,
        depth: int | None = None,
        width: int | None = None,
        activation: str = "relu",
        norm: str = "none",
        norm_placement: str = "before",
        dropout: float = 0.0,
        residual: bool = False,
        init: Init = DEFAULT,
    ) -> None:
        super().__init__()
        check = OptionCheck()
        self.inputs = check.count("inputs", inputs)
        self.outputs = check.count("outputs", outputs)
        self.hidden = _widths(check, hidden, depth, width)
        self.activation = check.choice("activation", activation, ACTIVATIONS)
        self.norm = check.choice("norm", norm, FEATURE_NORMS)
        self.norm_placement = check.choice("norm_placement", norm_placement, ("before", "after"))
        self.dropout = check.fraction("dropout", dropout)
        self.residual = check.flag("residual", residual)
        self.init = init_option(check, init)
        check.done()
        layers: list[nn.Module] = []
        for width_in, width_out in pairwise((self.inputs, *self.hidden)):
            hidden_layer = self._hidden_layer(width_in, width_out)
            if self.residual:
                shortcut = None if width_in == width_out else nn.Linear(width_in, width_out, bias=False)
                layers.append(Residual(nn.Sequential(*hidden_layer), shortcut))
            else:
                layers += hidden_layer
        self.layers = nn.Sequential(*layers, nn.Linear((self.inputs, *self.hidden)[-1], self.outputs))
        if self.init != DEFAULT:
            initialise(self, self.init)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1))

    def _hidden_layer(self, width_in: int, width_out: int) -> list[nn.Module]:
        layer: list[nn.Module] = [nn.Linear(width_in, width_out), ACTIVATIONS[self.activation]()]
        if self.norm != "none":
            layer.insert(1 if self.norm_placement == "before" else 2, FEATURE_NORMS[self.norm](width_out))
        if self.dropout:
            layer.append(nn.Dropout(self.dropout))
        return layer


def _widths(check: OptionCheck, hidden: object, depth: object, width: object) -> tuple[int, ...]:
    if hidden is None:
        number, size = 1 if depth is None else depth, 128 if width is None else width
        return (check.count("width", size),) * check.layers("depth", number)
    if depth is not None or width is not None:
        check.faults.add("nets.hidden-or-depth", key="net.hidden")
    return check.widths("hidden", hidden)
