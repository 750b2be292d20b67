"""Dropout in a stack: every member gets the masks that it would draw alone.

A model alone draws from torch's global generator, which its step sets to the stream of (seed, step). Here each stream
has a generator of its own. Members of one seed and one rate have the same masks, which are then drawn once.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from danlu.base.seeds import StepStreams

Rates = tuple[float, ...]  # one for each place of the net that drops out, in a fixed order


class Masks:
    """Draws the noise of K members: 0 with the member's rate, else 1 / (1 - rate).

    `rates[k]` holds the rates of member k at every place. A new step begins with `begin`; the places are then asked in
    the order of the forward pass. `channels_last` is the order in memory in which a model alone would hold maps [N, C,
    H, W], which is the order in which it draws.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        rates: Sequence[Rates],
        device: torch.device,
        dtype: torch.dtype,
        *,
        channels_last: bool = False,
    ) -> None:
        self._seeds, self._rates = list(seeds), list(rates)
        self._device, self._dtype = device, dtype
        self._channels_last = channels_last
        self._arrange()

    def _arrange(self) -> None:
        keys = list(zip(self._seeds, self._rates, strict=True))
        distinct = list(dict.fromkeys(keys))
        self._distinct_rates = [rates for _, rates in distinct]
        self._streams = StepStreams([seed for seed, _ in distinct], self._device)
        places = [distinct.index(key) for key in keys]
        self._places = None if places == list(range(len(keys))) else torch.tensor(places, device=self._device)
        self._generators = self._streams.at(0)

    def select(self, keep: Sequence[int]) -> None:
        self._seeds = [self._seeds[member] for member in keep]
        self._rates = [self._rates[member] for member in keep]
        self._arrange()

    def begin(self, step: int) -> None:
        self._generators = self._streams.at(step)

    def at(self, place: int, shape: Sequence[int]) -> Tensor | None:
        """The noise [K, *shape] of one place of the net, `shape` being that of one member; None where none drops."""
        return self._noise([rates[place] for rates in self._distinct_rates], shape)

    def everywhere(self, rate: float, shape: Sequence[int]) -> Tensor | None:
        """The noise [K, *shape] where all members drop with one rate, for a dropout that is no layer."""
        return self._noise([rate] * len(self._distinct_rates), shape)

    def _noise(self, rates: Sequence[float], shape: Sequence[int]) -> Tensor | None:
        if not any(rates):
            return None
        noise = torch.empty((len(rates), *shape), device=self._device, dtype=self._dtype)
        drawn = noise
        if self._channels_last and len(shape) == 4:
            drawn = torch.empty_like(noise.movedim(2, -1), memory_format=torch.contiguous_format)
            noise = drawn.movedim(-1, 2)
        for own, rate, generator in zip(drawn.unbind(0), rates, self._generators, strict=True):
            if rate:  # a rate of 0 draws nothing alone either
                own.bernoulli_(1 - rate, generator=generator)
                if rate < 1:
                    own.div_(1 - rate)
            else:
                own.fill_(1.0)
        return noise if self._places is None else noise.index_select(0, self._places)
