"""Floor 2: shows records, never models; what it draws needs no network and no code of the run."""
