"""The list of runs and studies, as plain values: what is picked, in which order, in which columns, in which groups."""
