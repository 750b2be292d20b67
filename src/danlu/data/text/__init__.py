"""Text: vocabularies, sequences of different length, and corpora for language models."""
