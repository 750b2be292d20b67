"""The run's whole way from raw numbers to an answer as one torch module: what is exported."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.token_numbers import END
from danlu.data.label_sets import LabelSets
from danlu.data.preprocessing import Preprocessing
from danlu.data.series.encoder import WindowEncoder
from danlu.data.several_encoder import SeveralInputs
from danlu.data.standard import Pixels, Standard
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import FittedColumn, NumberColumn
from danlu.data.targets import Quantities
from danlu.data.transforms.pictures import resize
from danlu.ship.answerer import Answerer
from danlu.ship.export.interface import MISSING, NO_TAG
from danlu.ship.export.recurrent import with_exported_layers
from danlu.ship.export.writing import Writing
from danlu.train.predictions import class_logits, predicted


class Program(nn.Module):
    """A list of raw inputs (those of a raw `Interface`) to its outputs: preprocessing, net and what the outputs mean.

    The arithmetic is that of the encoder, in float64 where that is. With `resizes` pictures may be of any size. The net
    is a copy in evaluation mode.
    """

    def __init__(self, answerer: Answerer, *, resizes: bool) -> None:
        super().__init__()
        self.preprocessing = front_of(answerer.fitted, resizes)
        net = with_exported_layers(copy.deepcopy(answerer.net)).eval()
        self.net = Writing(net, answerer.fitted.outputs) if answerer.fitted.task == "translation" else net
        self.answer = Answer(answerer.fitted)
        self.dtype = answerer.dtype

    def forward(self, inputs: list[Tensor]) -> tuple[Tensor, ...]:
        x: Tensor = self.preprocessing(inputs)
        outputs = self.net(x.to(self.dtype))
        return self.answer(outputs[0] if isinstance(outputs, tuple) else outputs, x)


class Answer(nn.Module):
    """A net's outputs to: the number of the class, probabilities, logits; or the value in its own unit, outputs.

    Of a language model the class is the next token after each text's last, of pixels and of tokens each has one (what
    is behind a text's end is `NO_TAG`); of several labels each is given or not. Of a translation there are the tokens
    that are written, the end among them, and how many are the text's.
    """

    def __init__(self, fitted: Preprocessing) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.least: Tensor
        self.task, self.numbers = fitted.task, fitted.outputs
        target, ends = fitted.target, None
        self.scaled = isinstance(target, Quantities)
        if isinstance(target, Quantities):
            self.register_buffer("mean", torch.tensor(target.mean, dtype=torch.float64))
            self.register_buffer("scale", torch.tensor(target.scale, dtype=torch.float64))
            ends = (target.low, target.high) if target.limited and target.low else None
        if isinstance(target, LabelSets):
            self.register_buffer("least", target.least)
        self.ends = None if ends is None else torch.tensor(ends, dtype=torch.float64)

    def forward(self, outputs: Tensor, x: Tensor) -> tuple[Tensor, ...]:
        if self.task == "translation":
            return outputs, (outputs > END).sum(1)
        if self.task == "language":
            last = (x != 0).sum(1).clamp(min=1) - 1  # behind a text's end stands padding
            ends = outputs.gather(1, last.view(-1, 1, 1).expand(-1, 1, outputs.shape[2])).squeeze(1)
            return ends.argmax(1), ends.softmax(1), outputs
        if self.task == "multi-label":
            likely = outputs.double().sigmoid()
            return likely >= self.least, likely.to(outputs.dtype), outputs
        found = predicted(outputs, self.task, self.numbers)
        if self.task == "tagging":
            within = torch.arange(x.shape[1]) < (x != 0).sum(1, keepdim=True)
            return torch.where(within, found, NO_TAG), outputs.softmax(-1), outputs
        if self.task in ("classification", "segmentation"):
            return found, class_logits(outputs).softmax(1), outputs
        if not self.scaled:
            return found, outputs
        value = found.double() * self.scale + self.mean
        if self.ends is not None:
            value = torch.minimum(torch.maximum(value, self.ends[0]), self.ends[1])
        return value.squeeze(1) if self.numbers == 1 else value, outputs


class _TableFront(nn.Module):
    def __init__(self, columns: Sequence[FittedColumn]) -> None:
        super().__init__()
        self.columns = tuple(columns)

    def forward(self, inputs: list[Tensor]) -> Tensor:
        features: list[Tensor] = []
        for column, cells in zip(self.columns, inputs, strict=True):
            features += _number(column, cells) if isinstance(column, NumberColumn) else _category(column, cells)
        return torch.stack(features, -1).to(torch.float32)


def _number(column: NumberColumn, cells: Tensor) -> list[Tensor]:
    missing = cells.isnan()
    median = torch.tensor(column.median, dtype=torch.float64)
    standard = (torch.where(missing, median, cells) - column.mean) / column.scale
    return [standard, missing.double()] if column.flag else [standard]


def _category(column: Any, codes: Tensor) -> list[Tensor]:
    wanted = [*range(len(column.values)), *([MISSING] if column.missing else [])]
    return [(codes == code).double() for code in wanted]


class _NumbersFront(nn.Module):
    def __init__(self, encoder: Standard) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.standardises = encoder.mean is not None and encoder.scale is not None
        self.register_buffer("mean", encoder.mean)
        self.register_buffer("scale", encoder.scale)

    def forward(self, inputs: list[Tensor]) -> Tensor:
        x = inputs[0]
        return (x.sub(self.mean).div(self.scale) if self.standardises else x).to(torch.float32)


class _SeveralFront(nn.Module):
    """Several inputs side by side in one row of numbers, which the net's own hook gets apart again."""

    def __init__(self, encoder: SeveralInputs) -> None:
        super().__init__()
        self.kinds = tuple(piece.kind for piece in encoder.layout.pieces)
        self.numbers = _NumbersFront(encoder.standard)

    def forward(self, inputs: list[Tensor]) -> Tensor:
        flat = [x.flatten(1) if x.ndim > 1 else x.unsqueeze(1) for x in inputs]
        rows = [(x.float() / 255 if kind == "bytes" else x).double() for kind, x in zip(self.kinds, flat, strict=True)]
        return self.numbers([torch.cat(rows, 1)])


class _PicturesFront(nn.Module):
    def __init__(self, encoder: Pixels, resizes: bool) -> None:
        super().__init__()
        self.factor: Tensor
        self.offset: Tensor
        self.channels, *self.sides = encoder.sample_shape
        self.resizes = resizes
        std, mean = (torch.tensor(values, dtype=torch.float64).view(-1, 1, 1) for values in (encoder.std, encoder.mean))
        self.register_buffer("factor", (1 / (encoder.peak * std)).float())
        self.register_buffer("offset", (-mean / std).float())

    def forward(self, inputs: list[Tensor]) -> Tensor:
        pixels = inputs[0].unsqueeze(1) if self.channels == 1 else inputs[0].permute(0, 3, 1, 2)
        pixels = resize(pixels, self.sides[0], self.sides[1]) if self.resizes else pixels
        return pixels.float() * self.factor + self.offset


class _TokensFront(nn.Module):
    def forward(self, inputs: list[Tensor]) -> Tensor:
        return inputs[0]


def front_of(fitted: Preprocessing, resizes: bool) -> nn.Module:
    """A list of raw inputs to what the net takes: float32 [N, *sample_shape], or int64 tokens [N, T]. The rows of a
    table, or of the windows of one, come column by column.
    """
    encoder = fitted.encoder
    if isinstance(encoder, TableEncoder | WindowEncoder):
        return _TableFront(encoder.columns)
    if isinstance(encoder, SeveralInputs):
        return _SeveralFront(encoder)
    if isinstance(encoder, Pixels):
        return _PicturesFront(encoder, resizes)
    return _NumbersFront(encoder) if isinstance(encoder, Standard) else _TokensFront()
