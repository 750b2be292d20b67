"""The variance of each layer's output, layer by layer from the input on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerVariances:
    """`variances[i]` over all samples and units of the output of `layers[i]`, in the order of the forward pass; not
    finite where the output was not. `source` is "data", "normal" or "tokens": what the `samples` were, whose own
    variance is `inputs` (None for tokens)."""

    name: str
    layers: tuple[str, ...]
    variances: tuple[float, ...]
    samples: int
    source: str
    inputs: float | None = None
