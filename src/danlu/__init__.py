"""danlu (丹炉): train a network, see what is wrong while it trains, and prove whether the cure works."""

import danlu.base.fork_watch  # pyright: ignore[reportUnusedImport]  (before anybody forks)
import danlu.base.starting  # noqa: F401  # pyright: ignore[reportUnusedImport]  (before all that takes long)
from danlu.base.lazily import lazily

__version__ = "0.1.0"

lazily(__name__)
