"""The loss as a landscape over two directions in the space of the weights."""
