"""What a score is called in the language in force."""

from danlu.base.printable import printable
from danlu.base.words import catalogue, language


def metric_name(name: str) -> str:
    """What a score is called; one that danlu has no word for keeps its own name.

    >>> metric_name("accuracy"), metric_name("bleu")
    ('accuracy', 'bleu')
    """
    return catalogue(language()).get(f"view.metric-{name}") or printable(name)
