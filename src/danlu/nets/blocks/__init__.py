"""Building blocks that several nets share; each is usable on its own."""

from danlu.base.lazily import lazily

lazily(__name__)
