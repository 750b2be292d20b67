"""From a trained net to answers: raw samples, files and texts in, what the net says out."""

from danlu.base.lazily import lazily

lazily(__name__)
