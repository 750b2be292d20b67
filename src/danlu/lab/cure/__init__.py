"""cure: the remedies of a run's findings, tried and judged by a study."""
