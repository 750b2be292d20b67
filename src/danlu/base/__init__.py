"""Floor 0: facts, words and places that every other floor stands on."""
