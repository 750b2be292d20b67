"""Training with momentum: the score at equal epochs, by how many epochs there are."""

from danlu.claims.claim import Published
from danlu.claims.effect import EffectClaim

MOMENTUM_HELPS = EffectClaim(
    "momentum-helps",
    factor="optim.momentum",
    levels={"momentum 0": {"optim.momentum": 0.0}, "momentum 0.9": {"optim.momentum": 0.9}},
    net="mlp",
    data="digits",
    settings={"train.batch_size": 32},
    condition="train.epochs",
    places={"2": {"train.epochs": 2}, "5": {"train.epochs": 5}, "15": {"train.epochs": 15}},
    rates=(0.003, 0.01, 0.03, 0.1, 0.3),
    published=(Published("Choi et al. 2019, https://arxiv.org/abs/1910.05446", "agrees with the claim"),),
)
