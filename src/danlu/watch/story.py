"""Findings that exclude each other: of one run one story is told."""

from collections.abc import Iterable, Mapping

from danlu.base.records import Finding

# Each row: what stands, and what is then left untold, because it says the opposite, asks for the opposite, or tells the
# same fact once more by its outcome.
EXCLUDES: Mapping[str, tuple[str, ...]] = {
    # Steps that overshoot are not too short, and a loss that they keep up is neither at its floor nor still on its way.
    "lr-too-high": ("lr-too-low", "plateau", "underfitting", "too-few-epochs", "clip-too-tight", "output-collapsed"),
    # After a NaN there is no loss to read.
    "nonfinite": ("lr-too-low", "plateau", "underfitting", "too-few-epochs", "output-collapsed"),
    # Targets that the loss does not take, or outputs that it does not, are what brings it below its floor.
    "label-range": ("loss-below-floor",),
    "loss-mismatch": ("loss-below-floor",),
    # A sum over the batch makes every step longer.
    "loss-sum": ("lr-too-low",),
    "no-update": ("lr-too-low", "plateau", "underfitting", "too-few-epochs", "overfitting"),
    # What hardly moves has not come to rest, and more of the same steps will not help.
    "lr-too-low": ("plateau", "underfitting", "too-few-epochs", "overfitting"),
    # Validation shows it: the net has learnt more than enough, so a larger net or more epochs are the wrong way.
    "overfitting": ("underfitting", "plateau", "too-few-epochs"),
    # The loss rests where guessing would be: that is a plateau, and its reason is known.
    "underfitting": ("plateau", "too-few-epochs"),
    # It stands still, or it still falls.
    "plateau": ("too-few-epochs",),
    # What is cut down to a small part cannot explode.
    "exploding-gradient": ("clip-too-tight",),
    # Units that are dead let nothing of the input through.
    "dead-relu": ("output-collapsed",),
}
"""By rule, the rules that are not told beside it. Rows are taken in this order; what is untold excludes nothing."""

# Both may be true, one after the other: the one that came first has led to the other.
EARLIER_STANDS: tuple[tuple[str, str], ...] = (("exploding-gradient", "vanishing-gradient"),)
"""Pairs that exclude each other, of which the earlier one is told; of two of the same step the first one here."""


def excluding_pairs() -> set[frozenset[str]]:
    """All pairs of rules that are never told together.

    >>> frozenset({"overfitting", "underfitting"}) in excluding_pairs()
    True
    """
    pairs = {frozenset((one, other)) for one, others in EXCLUDES.items() for other in others}
    return pairs | {frozenset(pair) for pair in EARLIER_STANDS}


def one_story(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without those that another one excludes.

    >>> def finding(rule: str) -> Finding:
    ...     return Finding(rule, "advice", (), 1, {}, "", "")
    >>> [one.rule for one in one_story([finding("plateau"), finding("too-few-epochs")])]
    ['plateau']
    """
    told = {finding.rule: finding for finding in findings}
    for one, other in EARLIER_STANDS:
        if one in told and other in told:
            del told[other if told[one].since <= told[other].since else one]
    for one, others in EXCLUDES.items():
        if one in told:
            told = {rule: finding for rule, finding in told.items() if rule not in others}
    return list(told.values())
