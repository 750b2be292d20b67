"""What a layer costs: multiply-adds of one forward pass, biases not counted."""

from math import prod

from torch import Tensor, nn

from danlu.nets.blocks.attention import ScaledDotProduct
from danlu.nets.blocks.members import MemberLinear, Waves
from danlu.nets.cells import Recurrent

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
RECURRENT = (nn.RNNBase, nn.RNNCellBase, Recurrent)
# Layers told of as one although they may have parts: what is registered below them is an implementation detail.
WHOLE = (nn.Linear, nn.Bilinear, *CONVOLUTIONS, *TRANSPOSED, *RECURRENT, nn.MultiheadAttention)


def multiply_adds(layer: nn.Module, given: Tensor, result: Tensor) -> int:
    """Multiply-adds of `layer` from its first input tensor to its first output tensor, over the whole batch.

    Linear, bilinear, convolution, recurrent and attention layers are counted; all others are 0.

    >>> import torch
    >>> layer, samples = nn.Linear(784, 128), torch.zeros(1, 784)
    >>> multiply_adds(layer, samples, layer(samples))
    100352
    """
    if isinstance(layer, nn.Linear):
        return result.numel() * layer.in_features
    if isinstance(layer, nn.Bilinear):
        return result.numel() * layer.in1_features * layer.in2_features
    if isinstance(layer, CONVOLUTIONS):
        return result.numel() * layer.in_channels // layer.groups * prod(layer.kernel_size)
    if isinstance(layer, TRANSPOSED):
        # Each number that comes in is spread over the kernel, once for every output channel of its group.
        return given.numel() * layer.out_channels // layer.groups * prod(layer.kernel_size)
    if isinstance(layer, RECURRENT):
        # At every step each weight matrix (one for each gate, stacked; layers and directions apart) is used once.
        steps = given.numel() // layer.input_size
        return steps * sum(weight.numel() for weight in layer.parameters() if weight.dim() == 2)
    if isinstance(layer, MemberLinear):
        return result.numel() * layer.weight.shape[1]
    if isinstance(layer, Waves):
        return given.shape[0] * (layer.speeds.numel() + layer.weight.numel())
    if isinstance(layer, ScaledDotProduct):
        return 2 * given.numel() * given.shape[-2]  # each place meets each: its key, and then its value
    return 0
