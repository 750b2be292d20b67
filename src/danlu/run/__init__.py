"""One training: from what was said to a recipe, from there to net, data and loop, and to the run that is left."""

from danlu.base.lazily import lazily

lazily(__name__)
