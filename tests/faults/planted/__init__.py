"""Planted faults: the rule that each must trip is named above it."""
