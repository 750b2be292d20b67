"""Try the optimisers and watch how the loss falls: the training loss after equally many epochs, each optimiser at its
own best learning rate. L-BFGS and Rprop take all samples at once, as they are made for; all others batches of 32."""

from typing import Any

from danlu.claims.claim import Published
from danlu.claims.effect import EffectClaim
from danlu.claims.training import TRAIN_LOSS

_STOCHASTIC = (0.01, 0.03, 0.1, 0.3)
_ADAPTIVE = (0.001, 0.003, 0.01, 0.03)
_SAMPLES = 1000


def _optimizer(name: str, **options: float) -> dict[str, Any]:
    return {"optim.name": name, **{f"optim.{option}": value for option, value in options.items()}}


OPTIMIZERS_DIFFER = EffectClaim(
    "optimizers-differ",
    factor="optim.name",
    levels={
        "SGD": _optimizer("sgd", momentum=0.0),
        "momentum 0.9": _optimizer("sgd", momentum=0.9),
        "Adagrad": _optimizer("adagrad"),
        "RMSprop": _optimizer("rmsprop"),
        "Adam": _optimizer("adam"),
        "Adamax": _optimizer("adamax"),
        "ASGD": _optimizer("asgd"),
        "L-BFGS": {**_optimizer("lbfgs"), "train.batch_size": _SAMPLES},
        "Rprop": {**_optimizer("rprop"), "train.batch_size": _SAMPLES},
    },
    settings={"net.hidden": 32, "data.samples": _SAMPLES, "train.batch_size": 32},
    measure=TRAIN_LOSS,
    expected="differ",
    margin=0.01,
    condition="train.epochs",
    places={"3": {"train.epochs": 3}, "10": {"train.epochs": 10}},
    rates={
        "SGD": _STOCHASTIC, "momentum 0.9": _STOCHASTIC, "Adagrad": _STOCHASTIC, "RMSprop": _ADAPTIVE,
        "Adam": _ADAPTIVE, "Adamax": _ADAPTIVE, "ASGD": _STOCHASTIC, "L-BFGS": (0.1, 0.3, 1.0, 3.0),
        "Rprop": _ADAPTIVE,
    },
    published=(
        Published("Choi et al. 2019, https://arxiv.org/abs/1910.05446", "agrees with the claim"),
    ),
)  # fmt: skip
