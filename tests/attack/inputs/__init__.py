"""Hostile inputs: what people, programs and attackers give, each with what its generator wrote."""
