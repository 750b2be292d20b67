"""Searches among numbers: the range test of learning rates, and settings proposed round by round."""
