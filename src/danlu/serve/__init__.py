"""Floor 3: the local dashboard, read-only routes over the store."""

from danlu.base.lazily import lazily

lazily(__name__)
