"""One probe a file: it measures on a schedule and never judges."""
