"""Floor 1: statistics; for now information: entropy, divergence and perplexity."""

from danlu.stats.information import BITS, NATS, cross_entropy, entropy, gaussian_entropy, gaussian_kl, kl, perplexity
from danlu.stats.mixtures import Estimate, Mixture, mixture_cross_entropy, mixture_entropy, mixture_kl

__all__ = [
    "BITS",
    "NATS",
    "Estimate",
    "Mixture",
    "cross_entropy",
    "entropy",
    "gaussian_entropy",
    "gaussian_kl",
    "kl",
    "mixture_cross_entropy",
    "mixture_entropy",
    "mixture_kl",
    "perplexity",
]
