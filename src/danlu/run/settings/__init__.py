"""From what was said to a whole recipe: drafts of it, and what is chosen where nothing was said."""
