"""check: a look at a recipe in seconds, before it is trained."""
