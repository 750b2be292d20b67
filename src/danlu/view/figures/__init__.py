"""Figures: info turned into panels of marks, which paper and page draw alike."""
