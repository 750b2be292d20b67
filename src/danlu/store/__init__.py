"""Where runs are kept: the folder of a run, its append-only journal, and readers that follow a live run."""
