"""The answers of a net laid out beside its inputs, and inputs changed in some of their places."""

import torch


def first_answer(outputs: list[torch.Tensor]) -> torch.Tensor | None:
    """Of what a net gave, the tensor of its answers: the first one of floating numbers that is not a single one."""
    return next((one for one in outputs if one.dtype.is_floating_point and one.dim() and one.numel() > 1), None)


def by_sample(answers: torch.Tensor, inputs: torch.Tensor, batch: int) -> torch.Tensor | None:
    """Answers with the samples first [N, …], to inputs whose dimension `batch` they are; None where that is not seen.

    >>> by_sample(torch.zeros(7, 3, 2), torch.zeros(7, 3, 5), 1).shape
    torch.Size([3, 7, 2])
    >>> by_sample(torch.zeros(21, 2), torch.zeros(3, 7), 0).shape
    torch.Size([3, 7, 2])
    """
    samples = inputs.shape[batch]
    if batch == 1 and answers.dim() >= 2 and answers.shape[:2] == inputs.shape[:2]:
        return answers.transpose(0, 1)
    if answers.shape[0] == samples:
        return answers
    if inputs.dim() >= 2 and answers.dim() <= 2 and answers.shape[0] == inputs.shape[0] * inputs.shape[1]:
        return answers.reshape(inputs.shape[0], inputs.shape[1], -1).movedim(batch, 0)
    return None


def by_place(answers: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor | None:
    """Answers [A, B, V] to inputs [A, B, …], one for each place; None where that is not seen.

    >>> [by_place(torch.zeros(size), torch.zeros(3, 7)).shape[2] for size in ((3, 7, 2), (3, 2, 7), (21, 2), (3, 7))]
    [2, 2, 2, 1]
    """
    rows, columns = inputs.shape[:2]
    if answers.shape[:2] == (rows, columns):
        return answers.reshape(rows, columns, -1)
    if answers.dim() == 3 and (answers.shape[0], answers.shape[2]) == (rows, columns):
        return answers.transpose(1, 2)
    if answers.dim() <= 2 and answers.shape[0] == rows * columns:
        return answers.reshape(rows, columns, -1)
    return None


def changed(inputs: torch.Tensor, where: torch.Tensor, batch: int) -> torch.Tensor:
    """Inputs with the numbers of another sample at the places that are True in `where`, which is as large or has the
    first dimensions; where those are the same numbers, others from their range.

    >>> changed(torch.tensor([[1, 2], [3, 2]]), torch.tensor([[False, True], [True, True]]), 0)
    tensor([[1, 3],
            [1, 3]])
    """
    other = inputs.roll(1, batch)
    if inputs.dtype.is_floating_point:
        other = torch.where(other == inputs, 1 - inputs, other)
    elif inputs.numel():
        low, high = inputs.min(), inputs.max()
        mirrored = low + high - inputs
        mirrored = torch.where(mirrored == inputs, high, mirrored)
        other = torch.where(other == inputs, mirrored, other)
    where = where.reshape(*where.shape, *[1] * (inputs.dim() - where.dim()))
    return torch.where(where, other, inputs)


def moved(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """How far answers have moved, as numbers that can be compared: what is not finite in either has not moved."""
    apart = (after.float() - before.float()).abs()
    return torch.where(torch.isfinite(apart), apart, torch.zeros_like(apart))


def size(answers: torch.Tensor) -> float:
    """The root of their mean square, but for what is not finite."""
    known = answers.float()
    known = known[torch.isfinite(known)]
    return float(known.square().mean().sqrt()) if known.numel() else 0.0


def cut(value: torch.Tensor, rows: torch.Tensor, length: int, shape: tuple[int, int]) -> torch.Tensor:
    """Of a tensor that stands beside inputs of `shape` [N, T] only some rows and the first places; of a mask [T, T] or
    [N, T, T] both sides. What is neither stays whole."""
    samples, places = shape
    if value.dim() and value.shape[0] == samples:
        value = value[rows]
    elif value.dim() != 2 or tuple(value.shape) != (places, places):
        return value
    for dimension in range(0 if tuple(value.shape) == (places, places) else 1, value.dim()):
        if value.shape[dimension] == places:
            value = value.narrow(dimension, 0, length)
    return value
