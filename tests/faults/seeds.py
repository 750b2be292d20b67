"""Which seeds are for tuning thresholds and which are kept apart to judge them. Nothing is tuned on the second."""

TUNING_SEEDS = (0, 1, 2)
HELD_OUT_SEEDS = (1001, 1002, 1003)
