"""The claims of the notes, one a file."""

from danlu.base.lazily import lazily

lazily(__name__)
