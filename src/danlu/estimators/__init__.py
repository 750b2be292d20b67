"""danlu's nets as scikit-learn's estimators: a run behind fit, predict and score."""

from danlu.base.lazily import lazily

lazily(__name__)
