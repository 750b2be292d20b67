"""Past a turning point the training loss falls and the test loss rises: one learning rate, stopped after more and more
epochs, on small data."""

from danlu.claims.effect import EffectClaim
from danlu.claims.training import LOSS

TRAIN_LONGER_OVERFITS = EffectClaim(
    "train-longer-overfits",
    factor="train.epochs",
    levels={f"{epochs} epochs": {"train.epochs": epochs} for epochs in (30, 300)},
    # So much patience stops nobody; but it has the test loss measured after every epoch, for the picture.
    settings={"train.batch_size": 32, "optim.lr": 0.03, "train.patience": 300},
    measure=LOSS,
    expected="more",
    margin=0.01,
    condition="data.samples",
    places={str(samples): {"data.samples": samples} for samples in (100, 300, 1000)},
    tuned=False,
    budget_differs=True,
    judged=True,
)
