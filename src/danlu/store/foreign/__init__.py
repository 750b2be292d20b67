"""Logs that other programs wrote of their trainings, read as plain series and told as records."""
