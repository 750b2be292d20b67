"""Info: records turned into plain, frozen, plot-ready numbers. Nothing here draws."""
