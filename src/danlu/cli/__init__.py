"""Floor 4: the command line. Every verb is one importable call of the same name."""
