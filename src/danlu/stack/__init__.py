"""Many models trained at once: every parameter of K members with one structure is one tensor, leading axis K."""

from danlu.base.lazily import lazily

lazily(__name__)
