"""Tables whose rows are kept on the disk."""
