"""The exercises, one a file; their names say nothing about their faults."""
