"""Studies: many trainings that differ in named factors, paired by seed and fold."""
