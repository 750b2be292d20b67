"""The target of a place that has none: a pixel that nobody labelled, the padding behind a text."""

IGNORED = -100
"""torch's own ignore_index: its losses leave such targets out of the sum and out of the mean."""
