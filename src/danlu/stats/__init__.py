"""Floor 1: statistics: paired effects and their power; information."""

from danlu.base.lazily import lazily

lazily(__name__)
