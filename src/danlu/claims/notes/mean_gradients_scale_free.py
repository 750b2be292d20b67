"""Divide the gradient by the batch size and one learning rate serves batches of different size. Both levels have the
rate that makes them the same training at a batch size of 32, and keep it at all others."""

from danlu.claims.effect import EffectClaim
from danlu.claims.training import ACCURACY_OR_NONE

_RATE, _SIZE = 0.03, 32

MEAN_GRADIENTS_SCALE_FREE = EffectClaim(
    "mean-gradients-scale-free",
    factor="loss.reduction",
    levels={
        "sum": {"loss.reduction": "sum", "optim.lr": _RATE / _SIZE},
        "mean": {"loss.reduction": "mean", "optim.lr": _RATE},
    },
    settings={"net.hidden": 64, "train.epochs": 10, "optim.momentum": 0.9},
    measure=ACCURACY_OR_NONE,
    condition="train.batch_size",
    places={str(size): {"train.batch_size": size} for size in (4, 16, 128, 512)},
    tuned=False,
    seeds=20,
)
