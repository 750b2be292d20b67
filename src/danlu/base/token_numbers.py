"""The numbers that stand in every vocabulary for no token of a text."""

PADDING, UNKNOWN = 0, 1
# Of texts that are written token by token: what stands before the first token, and behind the last.
START, END = 2, 3
