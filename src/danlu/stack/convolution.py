"""Convolutions of K members at once, in two forms; which is faster depends on shapes and machine: it is timed once."""

import time
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.stack.choices import choices, is_untimed
from danlu.stack.layers import StackedLayer, Surroundings

_FUNCTIONS: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Conv1d: F.conv1d,
    nn.Conv2d: F.conv2d,
    nn.Conv3d: F.conv3d,
}
_TRIALS = 3

Form = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def times_forms(net: nn.Module) -> bool:
    """Whether a stack of such nets has layers whose form is timed.

    >>> times_forms(nn.Sequential(nn.Conv2d(1, 2, 3))), times_forms(nn.Linear(2, 3))
    (True, False)
    """
    return any(isinstance(module, tuple(_FUNCTIONS)) for module in net.modules())


class Convolution(StackedLayer):
    """[K·N, C, …] to [K·N, D, …], every member with filters of its own.

    Either as one convolution with K times as many channels in K times as many groups ("joined"), or member by member
    ("apart"). Inputs that a whole group shares need no groups: its members' filters stand side by side ("shared").
    """

    weight: Tensor
    bias: Tensor | None

    def __init__(self, layers: Sequence[nn.Module], around: Surroundings) -> None:
        super().__init__(layers, around)
        self._forms: dict[tuple[int, ...], str] = {}
        self._function = next(function for kind, function in _FUNCTIONS.items() if isinstance(layers[0], kind))

    def forward(self, x: Tensor) -> Tensor:
        like = self.like
        if like.padding_mode != "zeros":
            x = F.pad(x, like._reversed_padding_repeated_twice, mode=like.padding_mode)
        if self.members == 1:
            return self._convolve(x, self.weight[0], None if self.bias is None else self.bias[0], like.groups)
        if self.around.is_shared(x) and like.groups == 1 and self.around.layout.per_group:
            return self._shared(x)
        x = self.around.own(x)
        key = (self.members, *x.shape)
        if key not in self._forms:
            self._forms[key] = self._chosen(x)
        return (self._apart if self._forms[key] == "apart" else self._joined)(x, self.weight, self.bias)

    def _chosen(self, x: Tensor) -> str:
        """The form for inputs like `x`: the same for every layer of this shape."""
        if is_untimed() or x.device.type != "cpu":  # on other devices many small kernels never win
            return "joined"
        like = self.like
        facts = (like.stride, like.padding, like.dilation, like.groups, x.dtype, self.bias is not None)
        shapes = "×".join(map(str, x.shape)), "×".join(map(str, self.weight.shape))
        last = x.is_contiguous(memory_format=torch.channels_last) if x.dim() == 4 else False
        name = f"convolution {' '.join(shapes)} {' '.join(map(str, facts))} {'last' if last else 'first'}"
        return choices().once(name.replace("torch.", ""), lambda: self._faster(x))

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None, groups: int) -> Tensor:
        like = self.like
        padding = like.padding if like.padding_mode == "zeros" else 0
        return self._function(x, weight, bias, like.stride, padding, like.dilation, groups)

    def _joined(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        members = self.members
        beside = self.channels_beside(x)
        y = self._convolve(
            beside, weight.flatten(0, 1), None if bias is None else bias.flatten(), members * self.like.groups
        )
        return self.members_apart(y, members)

    def _apart(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        biases = [None] * self.members if bias is None else bias.unbind(0)
        samples = x.chunk(self.members)
        parts = [
            self._convolve(own, filters, shift, self.like.groups)
            for own, filters, shift in zip(samples, weight.unbind(0), biases, strict=True)
        ]
        return torch.cat(parts)

    def _shared(self, x: Tensor) -> Tensor:
        layout = self.around.layout
        by_group = (layout.groups, layout.members // layout.groups)
        biases = [None] * layout.groups if self.bias is None else self.bias.view(layout.groups, -1).unbind(0)
        weights = self.weight.unflatten(0, by_group).flatten(1, 2).unbind(0)
        parts = [
            self.members_apart(self._convolve(samples, filters, shift, 1), by_group[1])
            for samples, filters, shift in zip(x.chunk(layout.groups), weights, biases, strict=True)
        ]
        return torch.cat(parts)

    def _faster(self, x: Tensor) -> str:
        """The faster of the two forms for inputs like `x`, both passes counted."""
        seconds: list[tuple[float, str]] = []
        forms: list[tuple[str, Form]] = [("apart", self._apart), ("joined", self._joined)]
        for name, form in forms:
            took: list[float] = []
            for _ in range(_TRIALS):
                begin = time.perf_counter()
                self._both_passes(form, x)
                took.append(time.perf_counter() - begin)
            seconds.append((min(took), name))
        return min(seconds)[1]

    def _both_passes(self, form: Form, x: Tensor) -> None:
        with torch.enable_grad():
            samples = x.detach().requires_grad_(x.requires_grad)
            weight = self.weight.detach().requires_grad_()
            form(samples, weight, self.bias).sum().backward()
