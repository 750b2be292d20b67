"""Batch normalisation speeds the convergence of deep nets: steps to a target loss, without it, with it before the
activation, and behind it."""

from danlu.claims.claim import Published
from danlu.claims.effect import EffectClaim
from danlu.claims.training import TRAIN_LOSS, steps_to

BATCHNORM_SPEEDS_CONVERGENCE = EffectClaim(
    "batchnorm-speeds-convergence",
    factor="net.norm",
    levels={
        "without": {"net.norm": "none"},
        "before the activation": {"net.norm": "batch", "net.norm_placement": "before"},
        "behind the activation": {"net.norm": "batch", "net.norm_placement": "after"},
    },
    settings={"net.width": 32, "train.batch_size": 32, "train.epochs": 15},
    measure=steps_to(0.5),
    expected="less",
    margin=40.0,
    tune_by=TRAIN_LOSS,
    condition="net.depth",
    places={str(depth): {"net.depth": depth} for depth in (2, 6, 12)},
    rates=(0.003, 0.01, 0.03, 0.1),
    published=(
        Published("Santurkar et al. 2018, https://arxiv.org/abs/1805.11604", "agrees with the claim"),
    ),
)  # fmt: skip
