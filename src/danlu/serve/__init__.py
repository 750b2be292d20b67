"""Floor 3: the local dashboard. It reads what the store holds and draws it with view; it changes nothing."""
