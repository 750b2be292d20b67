"""Floor 1: the loop and its parts. It knows neither data, nor nets, nor watch: it takes callables and listeners."""
