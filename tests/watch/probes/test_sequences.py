"""What a batch of sequences tells by itself."""

import pytest
import torch

from danlu.watch.probes.sequences import Relation, padding_of, relation_of

TOKENS = torch.randint(2, 20, (6, 13), generator=torch.Generator().manual_seed(0))
INPUTS, NEXT = TOKENS[:, :-1], TOKENS[:, 1:]
NUMBERS = torch.randn(6, 13, 2, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("inputs", "targets", "begin", "found"),
    [
        (INPUTS, NEXT, 0, Relation(1, 1, 12)),
        (INPUTS, NEXT.reshape(-1), 0, Relation(1, 1, 12)),
        (INPUTS.t(), NEXT.t().reshape(-1), 0, Relation(1, 0, 12)),
        (TOKENS, NEXT.reshape(-1), 0, Relation(1, 1, 13)),
        (TOKENS, NEXT.reshape(-1), 1, Relation(0, 1, 13)),
        (TOKENS, TOKENS[:, :-1], 0, Relation(0, 1, 13)),
        (INPUTS, INPUTS, 0, Relation(0, 1, 12)),
        (TOKENS[:, :-2], TOKENS[:, 2:], 0, Relation(2, 1, 11)),
        (TOKENS[:, :-2], TOKENS[:, 2:-1], 0, Relation(2, 1, 11)),  # shifted by the loader, and by the model again
        (torch.nn.functional.one_hot(INPUTS, 20).float(), NEXT, 0, Relation(1, 1, 12)),
        (NUMBERS[:, :-1], NUMBERS[:, 1:], 0, Relation(1, 1, 12)),
        (NUMBERS[:, :-1], NUMBERS[:, 1:, 1], 0, Relation(1, 1, 12)),
        (NUMBERS[:, :-1, :1], NUMBERS[:, 1:, 0], 0, Relation(1, 1, 12)),
        (INPUTS, torch.randint(20, (6, 12), generator=torch.Generator().manual_seed(2)), 0, None),
        (INPUTS, INPUTS[:, 0], 0, None),
        (torch.ones(6, 12), torch.ones(6, 12), 0, None),  # they are one another whatever the lag
        (INPUTS[:1, :5], INPUTS[:1, :5], 0, None),  # too few to tell
    ],
)
def test_how_targets_lie_to_inputs(
    inputs: torch.Tensor, targets: torch.Tensor, begin: int, found: Relation | None
) -> None:
    assert relation_of(inputs, targets, None, begin) == found


def test_ignored_targets_are_left_out_and_a_few_masked_ones_say_nothing() -> None:
    padded = NEXT.clone()
    padded[:, 8:] = -100
    assert relation_of(INPUTS, padded, -100) == Relation(1, 1, 12)
    masked = INPUTS.clone()
    masked[:, 2:] = -100
    assert relation_of(INPUTS, masked, -100) is None
    many, asked = INPUTS.repeat(2, 1), masked.repeat(2, 1)  # what is asked for stands in the inputs
    assert relation_of(many, asked, -100) == Relation(0, 1, 12, few=True)
    assert relation_of(many.where(asked < 0, 21), asked, -100) is None


def padded(*lengths: int) -> torch.Tensor:
    rows = TOKENS[: len(lengths)].clone()
    rows[torch.arange(13) >= torch.tensor(lengths)[:, None]] = 0
    return rows


def test_runs_at_the_end_are_padding() -> None:
    found = padding_of(padded(13, 5, 3, 9))
    assert found is not None
    assert (found.token, found.lengths.tolist()) == (0, [13, 5, 3, 9])
    assert found.share == pytest.approx((8 + 10 + 4) / 52)


@pytest.mark.parametrize(
    "rows",
    [
        TOKENS, padded(6, 6, 6, 6), padded(13, 13, 13, 12), padded(5, 3).float(), padded(5, 3)[0], padded(5, 3) > 0,
        torch.where(TOKENS[:4] < 12, torch.zeros_like(TOKENS[:4]), padded(13, 5, 3, 9)),
    ],
)  # fmt: skip
def test_what_also_stands_inside_or_ends_all_rows_alike_is_none(rows: torch.Tensor) -> None:
    assert padding_of(rows) is None
