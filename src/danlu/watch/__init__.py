"""Floor 1: watches a training, danlu's own or anybody's, and says what is wrong with it."""

from danlu.base.lazily import lazily

lazily(__name__)
