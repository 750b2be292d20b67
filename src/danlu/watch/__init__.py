"""Floor 1: watches a training, danlu's own or anybody's, and says what is wrong with it."""

from danlu.watch.attach import Watch, watch
from danlu.watch.earlier import Earlier
from danlu.watch.measured import Evaluation, Measured
from danlu.watch.patches import LossCall
from danlu.watch.remedies import remedies_of
from danlu.watch.thresholds import check_rules

__all__ = ["Earlier", "Evaluation", "LossCall", "Measured", "Watch", "check_rules", "remedies_of", "watch"]
