"""Targets that stand among the inputs."""

import pytest
import torch

from danlu.watch.conduct import Copied
from danlu.watch.measured import Measured
from danlu.watch.probes.copied import CopiedProbe

Tensor = torch.Tensor


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def seen(*batches: tuple[Tensor, Tensor], kind: str = "numbers", recurrent: bool = False) -> Copied:
    measured = Measured()
    measured.net.recurrent = recurrent
    probe = CopiedProbe(measured)
    for inputs, targets in batches:
        probe.called([inputs])
        probe.met(kind, targets)
        probe.end_step()
    return measured.copied


X = [drawn(32, 6, seed=seed) for seed in range(5)]
TOKENS = [torch.randint(20, (32, 9), generator=torch.Generator().manual_seed(seed)) for seed in range(5)]


@pytest.mark.parametrize(
    ("batches", "kind", "place"),
    [
        ([(x, x[:, 2]) for x in X], "numbers", 2),
        ([(x, 3 * x[:, 2:3] - 7) for x in X], "numbers", 2),
        ([(x.round(), (x[:, 4].round() * 2).long()) for x in X], "binary", 4),
        ([(x.sign(), x[:, 0].sign()) for x in X], "classes", 0),
        ([(x, x[:, 2] + 0.01 * drawn(32)) for x in X], "numbers", None),
        ([(x, x @ torch.ones(6)) for x in X], "numbers", None),
        ([(x, x[:, number % 2]) for number, x in enumerate(X)], "numbers", None),
        ([(x, torch.ones(32)) for x in X], "numbers", None),
        ([(x, x) for x in X], "numbers", None),
        ([(x[:4], x[:4, 2]) for x in X], "numbers", None),
        ([(x[:, :1], 2 * x[:, :1]) for x in X], "numbers", None),
        ([(torch.cat([x[:, :1], torch.ones(32, 1)], 1), 2 * x[:, 0]) for x in X], "numbers", None),
    ],
)
def test_columns(batches: list[tuple[Tensor, Tensor]], kind: str, place: int | None) -> None:
    assert seen(*batches, kind=kind) == (Copied() if place is None else Copied(5, place, batches[0][0].shape[1]))


def test_of_sequences_only_the_last_place_counts() -> None:
    assert seen(*((x, x[:, -1]) for x in TOKENS), kind="classes") == Copied(5, 0, 9, in_time=True)
    assert seen(*((x, x[:, 0]) for x in TOKENS), kind="classes") == Copied()
    assert seen(*((x[:, :, None], x[:, -1]) for x in X)) == Copied(5, 0, 6, in_time=True)
    assert seen(*((x[:, :, None], 2 * x[:, -1]) for x in X)) == Copied()  # of one number alone: a line is no leak
    assert seen(*((x.view(32, 3, 2), x[:, 5]) for x in X)) == Copied(5, 1, 3, in_time=True)
    assert seen(*((x, x[:, 1]) for x in X), recurrent=True) == Copied()


def test_once_it_was_not_so_it_is_over() -> None:
    assert seen((X[0], X[0][:, 1]), (X[1], drawn(32)), *((x, x[:, 1]) for x in X[2:])) == Copied()
