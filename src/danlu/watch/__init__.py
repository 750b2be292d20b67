"""Floor 1: watches a training, danlu's own or anybody's, and says what is wrong with it."""

from danlu.watch.attach import Watch, watch

__all__ = ["Watch", "watch"]
