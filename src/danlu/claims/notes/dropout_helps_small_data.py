"""Dropout of 0.5 helps against overfitting on small data, with SGD: accuracy by the number of training samples."""

from danlu.claims.effect import EffectClaim

DROPOUT_HELPS_SMALL_DATA = EffectClaim(
    "dropout-helps-small-data",
    factor="net.dropout",
    levels={"no dropout": {"net.dropout": 0.0}, "dropout 0.5": {"net.dropout": 0.5}},
    settings={"net.hidden": [128, 128], "train.batch_size": 32, "train.epochs": 60},
    condition="data.samples",
    places={str(samples): {"data.samples": samples} for samples in (100, 300, 1000)},
    rates=(0.003, 0.01, 0.03, 0.1),
    seeds=20,
    tuning_seeds=6,
)
