"""One training by several processes: each takes its part of every batch, all of them make the same update."""
