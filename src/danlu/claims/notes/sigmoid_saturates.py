"""Outside -4 to 4 the sigmoid's gradient is nearly 0; prefer tanh or ReLU: accuracy at equal epochs, by depth."""

from danlu.claims.effect import EffectClaim

SIGMOID_SATURATES = EffectClaim(
    "sigmoid-saturates",
    factor="net.activation",
    levels={activation: {"net.activation": activation} for activation in ("sigmoid", "tanh", "relu")},
    settings={"net.width": 64, "train.batch_size": 32, "train.epochs": 10},
    condition="net.depth",
    places={str(depth): {"net.depth": depth} for depth in (1, 3, 6)},
    rates=(0.003, 0.01, 0.03, 0.1, 0.3),
)
