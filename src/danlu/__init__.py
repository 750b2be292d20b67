"""danlu (丹炉): train a network, see what is wrong while it trains, and prove whether the cure works."""

__version__ = "0.1.0"
