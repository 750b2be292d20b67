"""Numbers by where they stand among those of the training part."""

import torch
from torch import Tensor, nn

_KNOTS = 128
_FEWEST_SAMPLES = 5_000  # of fewer, what stands close together is drawn apart by chance, and learnt by heart
_FEW_VALUES = 10  # a feature with no more is a category's, or a count's: it stays as it is
_MOST_SAMPLES = 20_000  # that the knots are taken from


class Quantiles(nn.Module):
    """Each feature through a rising line of pieces that makes its training values normally distributed: [N, F] to
    [N, F].

    The quantile transform of scikit-learn, with few knots, and what TabM's authors put before their nets (Gorishniy et
    al. 2025, https://arxiv.org/abs/2410.24210): long tails are drawn in, and where values are dense they are drawn
    apart. Until it has seen the training part, where that is small, and for features of few values, a number stays
    what it is.

    >>> places = Quantiles(features=1)
    >>> places.see_training_part(torch.linspace(0, 1, 5001).exp()[:, None])
    >>> places(torch.tensor([[0.5]]).exp()).abs().item() < 0.01
    True
    """

    starts: Tensor
    widths: Tensor
    rises: Tensor
    lowest: Tensor
    laid: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("starts", torch.zeros(features, _KNOTS - 1))
        self.register_buffer("widths", torch.ones(features, _KNOTS - 1))
        self.register_buffer("rises", torch.zeros(features, _KNOTS - 1))
        self.register_buffer("lowest", torch.zeros(features))
        self.register_buffer("laid", torch.zeros(features, dtype=torch.bool))  # by the training part

    def see_training_part(self, x: Tensor) -> None:
        """Take the knots from the training part, [N, F]."""
        if len(x) < _FEWEST_SAMPLES:
            return
        x = x[:: -(-len(x) // _MOST_SAMPLES)].to(self.starts)
        shares = (torch.arange(_KNOTS, dtype=x.dtype) + 0.5) / _KNOTS
        heights = torch.special.ndtri(shares)
        for feature, values in enumerate(x.unbind(1)):
            if len(values.unique()) <= _FEW_VALUES:
                continue
            knots, inverse = values.quantile(shares).unique(return_inverse=True)
            # Many equal values have one knot, which stands where their middle does.
            counts = torch.bincount(inverse)
            at = torch.zeros_like(knots).index_add_(0, inverse, heights) / counts
            pieces = len(knots) - 1
            self.starts[feature, :pieces], self.widths[feature, :pieces] = knots[:-1], knots.diff()
            self.rises[feature, :pieces], self.lowest[feature] = at.diff(), at[0]
            self.laid[feature] = True

    def forward(self, x: Tensor) -> Tensor:
        share = ((x[..., None] - self.starts) / self.widths).clamp(0, 1)
        return torch.where(self.laid, self.lowest + (share * self.rises).sum(-1), x)
