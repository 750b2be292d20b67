"""Healthy trainings of many kinds: nothing above advice may be said of them."""
