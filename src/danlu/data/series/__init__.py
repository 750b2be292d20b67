"""Time series: rows of a table in time order, cut into windows, with what comes behind each as its target."""
