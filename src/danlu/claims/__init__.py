"""Floor 6: the sentences of the notes, each with the plan that tests it."""

from danlu.base.lazily import lazily

lazily(__name__)
