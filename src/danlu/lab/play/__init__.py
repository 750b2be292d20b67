"""Trying settings on points in a plane: each move trains many seeds at once, and is compared with the one before."""
