"""On pictures of digits the convolutional net makes fewer errors than the fully connected one: LeNet-5 against an MLP
with as many parameters, after equally many epochs."""

from danlu.claims.effect import EffectClaim

CONVOLUTION_BEATS_DENSE = EffectClaim(
    "convolution-beats-dense",
    factor="net",
    levels={
        "fully connected": {"net.name": "mlp", "net.hidden": [256, 160]},
        "convolutional": {"net.name": "lenet5", "net.activation": "relu"},
    },
    settings={"train.batch_size": 32, "train.epochs": 10},
    condition="data.samples",
    places={"200": {"data.samples": 200}, "1000": {"data.samples": 1000}},
    rates=(0.01, 0.03, 0.1),
    seeds=8,
)
