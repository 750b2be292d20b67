"""Normalise inputs to mean 0 and variance 1: raw columns against standardised ones, each at its own best rate."""

from danlu.claims.effect import EffectClaim


def data_called(name: str) -> str:
    """The place is the data."""
    return name


STANDARDISED_INPUTS_HELP = EffectClaim(
    "standardised-inputs-help",
    factor="data.standardise",
    levels={"raw": {"data.standardise": False}, "standardised": {"data.standardise": True}},
    data=data_called,
    settings={"net.hidden": 32, "train.batch_size": 16, "train.epochs": 30},
    margin=0.01,
    condition="data",
    places={"breast-cancer": {}, "wine": {}, "digits": {}},
    rates={"raw": (1e-5, 1e-4, 1e-3, 1e-2), "standardised": (1e-4, 1e-3, 1e-2, 1e-1)},
)
