"""What danlu.draw computes of functions: activations, distributions, and the variance of a net's layers."""
