"""Dense connections reuse features, so that fewer parameters do: a DenseNet (77,322) against a ResNet
with as many of them (77,754)."""

from danlu.claims.effect import EffectClaim

DENSE_CONNECTIONS_SAVE_PARAMETERS = EffectClaim(
    "dense-connections-save-parameters",
    factor="net",
    levels={
        "ResNet": {"net.name": "small-resnet", "net.depth": 8},
        "DenseNet": {"net.name": "small-densenet", "net.depth": 16, "net.growth": 16},
    },
    settings={"train.batch_size": 32, "train.epochs": 10},
    condition="data.samples",
    places={"100": {"data.samples": 100}, "400": {"data.samples": 400}},
    rates=(0.01, 0.03, 0.1),
    seeds=12,
    tuning_seeds=1,
)
