"""Floor 1: statistics: paired effects and their power; information."""

from danlu.stats.information import BITS, NATS, cross_entropy, entropy, gaussian_entropy, gaussian_kl, kl, perplexity
from danlu.stats.mixtures import Estimate, Mixture, mixture_cross_entropy, mixture_entropy, mixture_kl
from danlu.stats.paired import Effect, check_margin, holm, paired_effect
from danlu.stats.power import pairs_needed, power

__all__ = [
    "BITS",
    "NATS",
    "Effect",
    "Estimate",
    "Mixture",
    "check_margin",
    "cross_entropy",
    "entropy",
    "gaussian_entropy",
    "gaussian_kl",
    "holm",
    "kl",
    "mixture_cross_entropy",
    "mixture_entropy",
    "mixture_kl",
    "paired_effect",
    "pairs_needed",
    "perplexity",
    "power",
]
