"""Residual connections let deeper nets train, for their derivative gains + 1: plain against residual, by depth."""

from danlu.claims.effect import EffectClaim

RESIDUALS_TRAIN_DEEPER = EffectClaim(
    "residuals-train-deeper",
    factor="net.residual",
    levels={"plain": {"net.residual": False}, "residual": {"net.residual": True}},
    settings={"net.width": 32, "train.batch_size": 32, "train.epochs": 10},
    condition="net.depth",
    places={str(depth): {"net.depth": depth} for depth in (4, 12, 30)},
    rates=(0.001, 0.003, 0.01, 0.03, 0.1),
)
